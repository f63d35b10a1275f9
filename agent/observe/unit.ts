import { AgentError } from '../core/errors.ts'
import type { ObservedUnit, Wanted } from '../core/model.ts'
import { readUnit, type UnitSource } from '../core/unit/image.ts'
import type { UnitText } from '../core/unit/lines.ts'
import type { UnitState } from '../core/unit/state.ts'
import type { Systemd } from '../ports/systemd.ts'
import type { UnitFiles } from '../ports/unit-files.ts'

/** What the config states of a container's keeper, and in which section. */
export interface Keeper extends Pick<Wanted['node'], 'manager' | 'unit'> {
  section: 'node' | 'controllers'
}

export interface UnitPorts {
  systemd: Systemd
  unitFiles: UnitFiles
}

/**
 * The unit that runs `docker run` or `docker start` for the container: the one that is named, the one whose client is at
 * work, or one that is up and says so. Null where no unit does.
 * @throws AgentError `unit-missing` where one is asked for and there is none
 */
export async function findUnit(
  container: string,
  { section, manager, unit }: Keeper,
  ports: UnitPorts,
): Promise<ObservedUnit | null> {
  if (manager === 'docker') return null
  const certain =
    manager === 'systemd' && unit !== undefined ? unit : await ports.systemd.unitOfClient(container)
  const names = certain === null ? await ports.systemd.containerUnits() : [certain]
  for (const name of names) {
    const found = await observeUnit(name, ports)
    if (found && (name === certain || runs(found, container))) return found
  }
  if (manager === 'auto') return null
  const what = unit === undefined ? `no unit that is up runs docker for ${container}` : `there is no ${unit}`
  throw new AgentError('unit-missing', `cannot find the unit of ${container}: ${what}`, {
    fix: 'systemctl list-units --type=service shows the names; set SECTION.unit, or SECTION.manager: docker'.replaceAll(
      'SECTION',
      section,
    ),
  })
}

async function observeUnit(name: string, { systemd, unitFiles }: UnitPorts): Promise<ObservedUnit | null> {
  const state = await systemd.show(name)
  if (state === null) return null
  const links: string[] = []
  const read = async (path: string): Promise<UnitText[]> => {
    const file = await unitFiles.read(path)
    if (file?.isLink === true) links.push(path)
    return file ? [{ path, text: file.text }] : []
  }
  const all = async (paths: string[]): Promise<UnitText[]> => (await Promise.all(paths.map(read))).flat()
  // the file of a masked one is a link to /dev/null
  const isMasked = state.load === 'masked'
  const source: UnitSource = {
    name: state.unit,
    fragments: isMasked ? [] : await all([state.fragment, ...state.dropIns].filter(Boolean)),
    environmentFiles: await all(state.environmentFiles),
  }
  return { state, source, links }
}

/** By its files, or, where they cannot be told, by what systemd makes of them. */
function runs({ state, source }: ObservedUnit, container: string): boolean {
  return readUnit(source, container).kind !== 'other' || startsContainer(state, container)
}

function startsContainer({ execStart }: UnitState, container: string): boolean {
  return execStart.some((line) => {
    const words = line.split(/[\s="';]+/)
    const docker = words.findIndex((word) => /(^|\/)(docker|podman)$/.test(word))
    const verbs = words.slice(docker)
    return (
      docker >= 0 && verbs.some((word) => word === 'run' || word === 'start') && words.includes(container)
    )
  })
}
