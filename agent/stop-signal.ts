import { AgentError } from './core/errors.ts'

/** Exit code after a second Ctrl-C, as a shell gives it. */
const INTERRUPTED = 130

const IN_RUN = 'ended in the middle of a run; "agent resume" finishes or unwinds it'
const OUTSIDE_RUN = 'ended before it was done; no run was open'

/**
 * Aborted by the first SIGINT or SIGTERM: the run unwinds. A second one ends the agent where it is: the journal has
 * the run, if one is open, and `agent resume` goes on. A terminal that goes away (SIGHUP) stops nothing.
 */
export function stopSignal(isRunOpen: () => boolean): AbortSignal {
  const controller = new AbortController()
  const stop = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) {
      process.stderr.write(`\nagent: ${isRunOpen() ? IN_RUN : OUTSIDE_RUN}\n`)
      process.exit(INTERRUPTED)
    }
    const reason = new AgentError('cancelled', `the run was stopped by ${name}`, {
      fix: 'run the command again',
    })
    controller.abort(reason)
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  process.on('SIGHUP', () => undefined)
  return controller.signal
}
