import type { ObservedUnit } from '../core/model.ts'
import type { UnitSource } from '../core/unit/commands.ts'
import { namedFiles } from '../core/unit/keeps.ts'
import { linesThatWrite } from '../core/unit/plugin-lines.ts'
import type { UnitState } from '../core/unit/state.ts'
import type { UnitFiles } from '../ports/unit-files.ts'
import type { UnitPorts } from './unit.ts'
import { readScripts, readUnitFiles } from './unit-source.ts'

/** The unit that keeps a container, with the other effects of its next restart; null if none does. */
export async function withAlong(
  unit: ObservedUnit | null,
  binDir: string,
  { systemd, unitFiles }: UnitPorts,
): Promise<ObservedUnit | null> {
  if (unit === null) return null
  const along = (await systemd.along(unit.source.name)).map(async (one) => {
    const state = await systemd.show(one.unit)
    const source = state && (await sourceOf(state, unitFiles))
    return { ...one, writes: source === null ? [] : linesThatWrite(source, binDir) }
  })
  return { ...unit, along: await Promise.all(along), writes: linesThatWrite(unit.source, binDir) }
}

/** A unit's files, for a look at its commands: one that cannot be read says nothing. */
async function sourceOf(state: UnitState, unitFiles: UnitFiles): Promise<UnitSource> {
  const source = await readUnitFiles(state, (path) => readScripts([path], unitFiles), unitFiles)
  return { ...source, scripts: await readScripts(namedFiles(source), unitFiles) }
}
