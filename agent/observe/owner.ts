import type { ContainerJson } from '../core/docker-json.ts'
import type { ObservedUnit, Owner } from '../core/model.ts'
import { readUnit } from '../core/unit-image.ts'
import { findUnit, type Keeper, type UnitPorts } from './unit.ts'

/** Who keeps the container running, and the unit where one does. */
export async function findOwner(
  container: ContainerJson,
  keeper: Keeper,
  ports: UnitPorts,
): Promise<{ owner: Owner; unit: ObservedUnit | null }> {
  // The kubelet's own labels come first: what it keeps is no unit's.
  const label = Object.keys(container.Config.Labels ?? {}).find((key) => key.startsWith('io.kubernetes.'))
  if (label !== undefined)
    return { owner: { kind: 'kubelet', why: `it carries the label ${label}` }, unit: null }
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
