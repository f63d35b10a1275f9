import { otherNodes, type RunningContainer } from '../../core/docker/second-node.ts'
import type { OldContainer } from '../../core/plan/plan.ts'
import type { UnitChange } from '../../core/unit/change.ts'
import type { Docker } from '../../ports/docker.ts'
import type { SettledUnit } from '../unit/standing.ts'

/** A running calico/node that does not belong to the run: someone else created it. */
export async function foreignNode(known: string[], docker: Docker): Promise<RunningContainer | undefined> {
  return otherNodes(await docker.runningContainers(), known)[0]
}

/** The container that now has the old one's name; undefined if it belongs to the run, or if there is none. */
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
 * A running calico/node that the unit did not create: under another name, or under the container's own name while the
 * unit is down. A docker client of the unit that died leaves one too, but with one of the run's images.
 */
export async function foreignNodeOfUnit(
  {
    change,
    old,
    standing: { found, isDown },
  }: { change: UnitChange; old: OldContainer; standing: SettledUnit },
  docker: Docker,
): Promise<RunningContainer | undefined> {
  const next = await docker.inspectImage(change.to)
  const isUnits = found === undefined || !isDown || found.Id === old.id || found.Image === next?.Id
  return await foreignNode([old.id, ...(found && isUnits ? [found.Id] : [])], docker)
}
