import type { ObservedUnit } from '../core/model.ts'
import type { UnitSource } from '../core/unit/commands.ts'
import { namedFiles } from '../core/unit/keeps.ts'
import type { UnitText } from '../core/unit/lines.ts'
import { linesThatWrite } from '../core/unit/plugin-lines.ts'
import type { UnitState } from '../core/unit/state.ts'
import type { UnitFiles } from '../ports/unit-files.ts'
import type { UnitPorts } from './unit.ts'

/** The unit that keeps a container, with what its next restart does beside; null where none does. */
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
  const read = async (path: string): Promise<UnitText[]> => {
    const text = await unitFiles.readScript(path)
    return text === undefined ? [] : [{ path, text }]
  }
  const all = async (paths: string[]) => (await Promise.all(paths.map(read))).flat()
  const environment = await Promise.all(state.environmentFiles.map((path) => unitFiles.expand(path)))
  const source = {
    name: state.unit,
    fragments: await all([state.fragment, ...state.dropIns].filter(Boolean)),
    environmentFiles: await all(environment.flat()),
  }
  return { ...source, scripts: await all(namedFiles(source)) }
}
