import { otherNodes, type RunningContainer } from '../../core/docker/second-node.ts'
import type { OldContainer } from '../../core/plan/plan.ts'
import type { UnitChange } from '../../core/unit/change.ts'
import type { Docker } from '../../ports/docker.ts'
import type { Standing } from '../unit/standing.ts'

/** A calico/node that runs and is none of the run's: somebody else made it meanwhile. */
export async function strangerBeside(known: string[], docker: Docker): Promise<RunningContainer | undefined> {
  return otherNodes(await docker.runningContainers(), known)[0]
}

/** The container that has the old one's name by now; undefined while it is one of the run's, or nobody's. */
export async function nameTaker(
  old: OldContainer,
  nextId: string,
  docker: Docker,
): Promise<{ id: string; isRunning: boolean } | undefined> {
  const found = await docker.inspectContainer(old.name)
  if (found === undefined || [old.id, nextId].includes(found.Id)) return undefined
  return { id: found.Id, isRunning: found.State.Running }
}

/**
 * A calico/node that runs and that the unit did not make: under another name, or under the container's own while the unit
 * is down, which a client of the unit that died would leave too, but then with one of the run's images.
 */
export async function strangerToUnit(
  { change, old, standing: { found, isDown } }: { change: UnitChange; old: OldContainer; standing: Standing },
  docker: Docker,
): Promise<RunningContainer | undefined> {
  const next = await docker.inspectImage(change.to)
  const isUnits = found === undefined || !isDown || found.Id === old.id || found.Image === next?.Id
  return await strangerBeside([old.id, ...(found && isUnits ? [found.Id] : [])], docker)
}
