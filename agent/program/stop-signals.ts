import { AgentError } from '../core/errors.ts'

/** Exit code after a second Ctrl-C, as a shell gives it. */
const INTERRUPTED = 130

const IN_RUN = 'stopped in the middle of a run; "calico-agent resume" finishes or undoes it'
const OUTSIDE_RUN = 'stopped before it was done; no run had started'

const STOPS = ['SIGINT', 'SIGTERM'] as const

/** What stops the commands of this process. */
export class StopSignals {
  readonly #isRunOpen: () => boolean
  readonly #say: (text: string) => void
  #controllers: AbortController[] = []
  /** Not told by what is aborted: an internal failure aborts too, and is no Ctrl-C. */
  #wasSignalled = false

  /** `say` must not wait for its reader. */
  constructor(isRunOpen: () => boolean, say: (text: string) => void) {
    this.#isRunOpen = isRunOpen
    this.#say = say
  }

  /**
   * Aborted by the first SIGINT or SIGTERM: the run is undone. A second one ends the agent where it is: the journal has
   * the run, if one is open, and `calico-agent resume` goes on. A terminal that goes away (SIGHUP) stops nothing.
   */
  listen(): AbortSignal {
    const controller = new AbortController()
    this.#controllers.push(controller)
    if (this.#controllers.length === 1) {
      for (const name of STOPS) process.on(name, this.#stop)
      process.on('SIGHUP', ignore)
    }
    return controller.signal
  }

  /** Stops what listens, as a signal does. */
  abort(reason: Error): void {
    for (const controller of this.#controllers) controller.abort(reason)
  }

  /** From now on each signal ends the process, as it does by default. */
  release(): void {
    for (const name of STOPS) process.off(name, this.#stop)
    process.off('SIGHUP', ignore)
  }

  readonly #stop = (name: NodeJS.Signals): void => {
    if (this.#wasSignalled) {
      this.#say(`\ncalico-agent: ${this.#isRunOpen() ? IN_RUN : OUTSIDE_RUN}\n`)
      process.exit(INTERRUPTED)
    }
    this.#wasSignalled = true
    this.abort(
      new AgentError('cancelled', `the run was stopped by ${name}`, { fix: 'run the command again' }),
    )
  }
}

const ignore = (): void => undefined
