import { setTimeout as sleep } from 'node:timers/promises'
import { ExitCode } from '../core/errors.ts'
import { unexpected } from '../core/unexpected.ts'
import { logOutput } from '../report/logger.ts'
import { Output } from '../report/output.ts'
import { StopSignals } from './stop-signals.ts'

/** Node's longest. */
const FOR_EVER_MS = 2 ** 31 - 1
/** How long the exit waits for the reader of the log. */
const LOG_PATIENCE_MS = 1_000

interface ProgramOptions {
  /** systemd's journal reads stderr. */
  journald: boolean
  isRunOpen: () => boolean
  /** What a failure is in JSON; null where none is asked for. */
  documentOf: (failure: ReturnType<typeof unexpected>) => object | null
}

/** This process: what it writes, how it is stopped, and how it ends. While a run is open it waits for no reader. */
export class Program {
  /** stdout, while the command is running. */
  readonly screen = new Output(1)
  /** stderr. */
  readonly log: Output
  readonly stops: StopSignals
  readonly #options: ProgramOptions
  #printed = ''
  #exitCode: ExitCode | undefined
  /** An exception that nobody caught stopped the open run. */
  #hasBug = false

  constructor(options: ProgramOptions) {
    this.log = logOutput(options.journald)
    this.stops = new StopSignals(options.isRunOpen, (text) => {
      this.log.write(text)
    })
    this.#options = options
  }

  get journald(): boolean {
    return this.#options.journald
  }

  /** A line to stdout, at the end. */
  print(text: string): void {
    this.#printed += `${text}\n`
  }

  exit(code: ExitCode): void {
    this.#exitCode = code
  }

  /** Runs the command, and ends the process. */
  async run(command: () => Promise<void>): Promise<never> {
    // A wait that leaves nothing in the event loop must not end a run in its window, least of all with 0.
    process.exitCode = ExitCode.bug
    setInterval(() => undefined, FOR_EVER_MS)
    // A pipe that is closed (calico-agent upgrade | head) is no failure either.
    process.stdout.on('error', () => undefined)
    process.on('uncaughtException', (error) => void this.#caught(error))
    try {
      await command()
      this.#exitCode ??= ExitCode.done
    } catch (error) {
      this.#fail(error)
    }
    return await this.#end()
  }

  /** Nobody waited for it. An open run is stopped as by a signal: it goes back when that is safe. */
  async #caught(error: unknown): Promise<void> {
    if (!this.#options.isRunOpen()) {
      this.#fail(error)
      await this.#end()
      return
    }
    this.#hasBug = true
    const failure = unexpected(error)
    this.log.write(`calico-agent: ${failure.message}\n`)
    this.stops.abort(failure)
  }

  #fail(error: unknown): void {
    const failure = unexpected(error)
    this.log.write(`calico-agent: ${failure.message}\n`)
    const document = this.#options.documentOf(failure)
    if (document) this.print(JSON.stringify(document))
    this.exit(failure.exitCode)
  }

  /** The report is worth waiting for: no run is open any more, and each signal ends the wait. */
  async #end(): Promise<never> {
    this.stops.release()
    if (this.log.isPending) await Promise.race([this.log.drained(), sleep(LOG_PATIENCE_MS)])
    await this.screen.drained()
    await new Promise((resolve) => process.stdout.write(this.#printed, resolve))
    const code = this.#exitCode ?? ExitCode.bug
    // For the service a stop is a success, and systemd would leave it down.
    process.exit(this.#hasBug ? Math.max(code, ExitCode.bug) : code)
  }
}
