import { isAway, isTransient } from '../core/errors.ts'
import type { Emit } from '../core/events.ts'
import type { Clock } from '../ports/clock.ts'
import type { Docker } from '../ports/docker.ts'

/** A restart of dockerd takes seconds; past this the host needs somebody. */
const PATIENCE_MS = 60_000
const POLL_MS = 250
/** An Engine that answers and fails is not asked as often. */
const FAILING_POLL_MS = 2_000

interface Trying {
  ports: { docker: Docker; clock: Clock }
  emit: Emit
}

/**
 * After an error that may pass, such as an Engine that is away or a full disk: tries `again`, as often as it fails so
 * within the time. Any other error is thrown.
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

/** A step that fails at each try is told once. */
function withoutRepeats(emit: Emit): Emit {
  const told = new Set<string>()
  return (event) => {
    const key = event.type === 'step' ? `${event.index} ${event.status}` : null
    if (key !== null && told.has(key)) return
    if (key !== null) told.add(key)
    emit(event)
  }
}
