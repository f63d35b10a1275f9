import type { UnitSource } from '../core/unit/commands.ts'
import type { UnitText } from '../core/unit/lines.ts'
import type { UnitState } from '../core/unit/state.ts'
import type { UnitFiles } from '../ports/unit-files.ts'

/** A unit as systemd reads it, by its files; what its commands name is not read. `read` returns none if there is no file. */
export async function readUnitFiles(
  { unit, load, fragment, dropIns, environmentFiles }: UnitState,
  read: (path: string) => Promise<UnitText[]>,
  unitFiles: Pick<UnitFiles, 'expand'>,
): Promise<UnitSource> {
  const all = async (paths: string[]) => (await Promise.all(paths.map(read))).flat()
  // the file of a masked one is a link to /dev/null
  const isMasked = load === 'masked'
  const environment = await Promise.all(environmentFiles.map((path) => unitFiles.expand(path)))
  return {
    name: unit,
    fragments: isMasked ? [] : await all([fragment, ...dropIns].filter(Boolean)),
    environmentFiles: await all(environment.flat()),
  }
}

/** Files that are not text, or cannot be read, say nothing. */
export async function readScripts(
  paths: string[],
  unitFiles: Pick<UnitFiles, 'readScript'>,
): Promise<UnitText[]> {
  const read = async (path: string): Promise<UnitText[]> => {
    const text = await unitFiles.readScript(path)
    return text === undefined ? [] : [{ path, text }]
  }
  return (await Promise.all(paths.map(read))).flat()
}
