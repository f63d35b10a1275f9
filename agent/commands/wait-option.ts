import { durationMs } from '../core/duration.ts'
import { AgentError, ExitCode } from '../core/errors.ts'
import { waitEnded } from '../core/fleet/wait-ended.ts'

/** What a timer can count. */
const MAX_DAYS = 24

/** Aborted when the time of `--wait` is over. @throws AgentError `bad-wait`, `no-fleet` (exit 2) */
export function waitSignal(text: string, hasFleet: boolean): AbortSignal {
  const ms = durationMs(text)
  if (ms === null || ms > MAX_DAYS * 86_400_000)
    throw new AgentError('bad-wait', `cannot wait "${text}": it is not a valid duration`, {
      fix: `use at most ${MAX_DAYS} days, such as 90s, 30m, 2h or 1d`,
      exitCode: ExitCode.usage,
    })
  if (!hasFleet)
    throw new AgentError('no-fleet', 'cannot wait for a slot: the config has no fleet section', {
      fix: 'leave out --wait, or configure one of fleet.etcd, fleet.kubernetes and fleet.fleetlock',
      exitCode: ExitCode.usage,
    })
  const late = new AbortController()
  setTimeout(() => {
    late.abort(waitEnded(`no slot within ${text}`))
  }, ms).unref()
  return late.signal
}
