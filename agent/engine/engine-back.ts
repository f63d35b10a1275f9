import { isEngineGone } from '../core/errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { Docker } from '../ports/docker.ts'

/** A restart of dockerd takes seconds; past this the host needs somebody. */
const PATIENCE_MS = 60_000
const POLL_MS = 250

/**
 * After an error that only says that the Engine is away: waits for it and tries `again`, as often as it goes away
 * within the time. Any other error is thrown.
 */
export async function untilEngineBack(
  error: unknown,
  { docker, clock }: { docker: Docker; clock: Clock },
  again: () => Promise<void>,
): Promise<void> {
  const deadline = clock.now() + PATIENCE_MS
  let last = error
  for (;;) {
    if (!isEngineGone(last) || clock.now() > deadline) throw last
    await clock.sleep(POLL_MS)
    try {
      await docker.info()
      await again()
      return
    } catch (next) {
      last = next
    }
  }
}
