import { composeLabels } from '../core/docker/compose.ts'
import type { ContainerJson } from '../core/docker/json.ts'
import type { ObservedUnit, Owner } from '../core/model.ts'
import type { ObservedPod } from '../core/pod/static-pod.ts'
import { readUnit } from '../core/unit/image.ts'
import type { Claim } from '../core/unit/keeps.ts'
import type { Wanted } from '../core/wanted.ts'
import { bootClaims } from './boot-files.ts'
import { findKubelet, type PodPorts } from './static-pod.ts'
import { findUnit, type Keeper, type UnitPorts } from './unit.ts'

export type OwnerPorts = UnitPorts & PodPorts

interface Found {
  owner: Owner
  /** Null where no unit runs it. */
  unit: ObservedUnit | null
  /** Of a static pod. */
  pod?: ObservedPod
  /** What else would start it. */
  claims: Claim[]
}

/** Who keeps the container running, and its unit or manifest, if any. */
export async function findOwner(
  container: ContainerJson,
  keeper: Keeper,
  kubelet: Wanted['kubelet'],
  ports: OwnerPorts,
): Promise<Found> {
  // The kubelet's labels come first: no unit keeps its containers.
  const hosted = await findKubelet(container, kubelet, ports)
  if (hosted !== null) return { ...hosted, unit: null, claims: [] }
  const name = container.Name.replace(/^\//, '')
  // the config overrides it
  if (keeper.manager === 'docker') return { owner: { kind: 'docker' }, unit: null, claims: [] }
  const subject = { container: name, component: keeper.section, compose: composeLabels(container) }
  const services = await ports.systemd.services()
  const { unit, claims } = await findUnit(subject, keeper, services, ports)
  const owner: Owner = unit === null ? { kind: 'docker' } : unitOwner(unit, name)
  const others = await bootClaims(subject, services.length > 0, ports.unitFiles)
  return { owner, unit, claims: [...claims, ...others] }
}

function unitOwner({ source, claim }: ObservedUnit, container: string): Owner {
  const reading = readUnit(source, container)
  const file = reading.kind === 'runs' ? reading.run.places.at(-1)?.file : undefined
  if (reading.kind === 'other' && claim)
    return { kind: 'systemd', unit: source.name, why: `${source.name} has ${claim.line}` }
  const where = file === undefined ? '' : `, and ${file} names the image`
  return { kind: 'systemd', unit: source.name, why: `${source.name} runs docker for ${container}${where}` }
}
