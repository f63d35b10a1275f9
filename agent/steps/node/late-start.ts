import type { NextContainer, OldContainer } from '../../core/plan/plan.ts'
import { isRunning } from '../container/running.ts'
import { startOld } from '../container/start-old.ts'
import type { StepContext } from '../step.ts'
import { removeCreated } from './create-container.ts'

/** The Engine begins an accepted request within this time. */
const LATE_MS = 1_000
const POLL_MS = 50

type Tools = Pick<StepContext, 'docker' | 'clock'>

/**
 * An agent died, or gave up waiting, while Docker was starting the new container: Docker may still start it beside the
 * old one. If it has never run, remove it first, so that a late start finds none. A parked one must stay: wait for its
 * start, and end it.
 */
export async function preventLateStart(
  next: NextContainer,
  nextId: string,
  { docker, clock }: Tools,
): Promise<void> {
  const found = await docker.inspectContainer(nextId)
  if (found === undefined) return
  if ('createdBy' in next) {
    if (found.State.Status === 'created') await removeCreated(docker, next.createdBy)
    return
  }
  const deadline = clock.now() + LATE_MS
  while (clock.now() < deadline && !(await isRunning(nextId, docker))) await clock.sleep(POLL_MS)
  await docker.killContainer(nextId)
}

/**
 * Ends a new container that Docker started after all. Returns the id of the old one, restarted because the other BIRD
 * has taken its socket; undefined if no second one runs.
 */
export async function stopSecondNode(
  { old, id, nextId }: { old: OldContainer; id: string; nextId: string },
  context: Tools,
): Promise<string | undefined> {
  const { docker } = context
  if (!(await isRunning(nextId, docker))) return undefined
  await docker.killContainer(nextId)
  await docker.killContainer(id)
  return await startOld(old, context)
}
