import { isAway, isTransient } from '../core/errors.ts'
import type { Emit } from '../core/events.ts'
import type { Clock } from '../ports/clock.ts'
import type { Docker } from '../ports/docker.ts'

/** A restart of dockerd takes seconds; after this the host needs an operator. */
const PATIENCE_MS = 60_000
const POLL_MS = 250
/** An Engine that answers with an error is asked less often. */
const FAILING_POLL_MS = 2_000

interface Trying {
  ports: { docker: Docker; clock: Clock }
  emit: Emit
}

/**
 * After a transient error, such as an Engine that is down or a full disk: runs `again` until it succeeds or the time is
 * over. Throws any other error.
 */
export async function retryTransient<E extends Trying>(
  error: unknown,
  trying: E,
  again: (trying: E) => Promise<void>,
): Promise<void> {
  const { docker, clock } = trying.ports
  const quiet = { ...trying, emit: withoutRepeats(trying.emit) }
  const deadline = clock.now() + PATIENCE_MS
  let last = error
  for (;;) {
    if (!isTransient(last) || clock.now() > deadline) throw last
    await clock.sleep(isAway(last) ? POLL_MS : FAILING_POLL_MS)
    try {
      await docker.info()
      await again(quiet)
      return
    } catch (next) {
      last = next
    }
  }
}

/** A step that fails at each try is reported once. */
function withoutRepeats(emit: Emit): Emit {
  const told = new Set<string>()
  return (event) => {
    const key = event.type === 'step' ? `${event.index} ${event.status}` : null
    if (key !== null && told.has(key)) return
    if (key !== null) told.add(key)
    emit(event)
  }
}
