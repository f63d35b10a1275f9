import { AgentError, ExitCode } from '../errors.ts'

/** A wait for other hosts that ended before there was anything to wait for. */
export function waitEnded(why: string): AgentError {
  return new AgentError('wait-ended', `cannot start: ${why}`, {
    fix: 'calico-agent fleet status shows what the hosts of the group do',
    exitCode: ExitCode.deferred,
  })
}
