import type { ContainerJson } from '../core/docker/json.ts'
import type { ObservedUnit, Owner, Wanted } from '../core/model.ts'
import type { ObservedPod } from '../core/pod/static-pod.ts'
import { readUnit } from '../core/unit/image.ts'
import { findKubelet, type PodPorts } from './static-pod.ts'
import { findUnit, type Keeper, type UnitPorts } from './unit.ts'

export type OwnerPorts = UnitPorts & PodPorts

interface Found {
  owner: Owner
  /** Null where no unit runs it. */
  unit: ObservedUnit | null
  /** Of a static pod. */
  pod?: ObservedPod
}

/** Who keeps the container running, and the unit or the manifest where one does. */
export async function findOwner(
  container: ContainerJson,
  keeper: Keeper,
  kubelet: Wanted['kubelet'],
  ports: OwnerPorts,
): Promise<Found> {
  // The kubelet's own labels come first: what it keeps is no unit's.
  const hosted = await findKubelet(container, kubelet, ports)
  if (hosted !== null) return { ...hosted, unit: null }
  const name = container.Name.replace(/^\//, '')
  const unit = await findUnit(name, keeper, ports)
  return { owner: unit === null ? { kind: 'docker' } : unitOwner(unit, name), unit }
}

function unitOwner({ source }: ObservedUnit, container: string): Owner {
  const reading = readUnit(source, container)
  const file = reading.kind === 'runs' ? reading.run.places.at(-1)?.file : undefined
  const where = file === undefined ? '' : `, and ${file} names the image`
  return { kind: 'systemd', unit: source.name, why: `${source.name} runs docker for ${container}${where}` }
}
