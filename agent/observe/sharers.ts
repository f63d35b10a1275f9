import type { SharingUnit } from '../core/unit/shared.ts'
import { isUp, startsAtBoot, type UnitState } from '../core/unit/state.ts'
import type { UnitFiles } from '../ports/unit-files.ts'

/** The other units that read an environment file of these. */
export async function sharersOf(
  files: string[],
  others: UnitState[],
  unitFiles: Pick<UnitFiles, 'expand'>,
): Promise<SharingUnit[]> {
  if (files.length === 0) return []
  const reading = others.filter((state) => state.environmentFiles.length > 0)
  const sharers = reading
    .filter((state) => isUp(state) || startsAtBoot(state))
    .map(async ({ unit, environmentFiles, commands }) => {
      const read = (await Promise.all(environmentFiles.map((path) => unitFiles.expand(path)))).flat()
      return { unit, files: read.filter((path) => files.includes(path)), commands }
    })
  return (await Promise.all(sharers)).filter((sharer) => sharer.files.length > 0)
}
