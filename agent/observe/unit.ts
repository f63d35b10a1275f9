import { AgentError } from '../core/errors.ts'
import type { ObservedUnit } from '../core/model.ts'
import type { UnitSource } from '../core/unit/commands.ts'
import { readUnit } from '../core/unit/image.ts'
import { type Claim, claimOf, namedByLines, namedByScript, namedFiles } from '../core/unit/keeps.ts'
import type { UnitText } from '../core/unit/lines.ts'
import { mentions, type Subject } from '../core/unit/starters.ts'
import { isUp, startsAtBoot, type UnitState } from '../core/unit/state.ts'
import type { Wanted } from '../core/wanted.ts'
import type { Systemd } from '../ports/systemd.ts'
import type { UnitFiles } from '../ports/unit-files.ts'
import { sharersOf } from './sharers.ts'
import { readScripts, readUnitFiles } from './unit-source.ts'

/** What the config says about a container's owner, and in which section. */
export interface Keeper extends Pick<Wanted['node'], 'manager' | 'unit'> {
  section: 'node' | 'controllers'
}

export interface UnitPorts {
  systemd: Systemd
  unitFiles: UnitFiles
}

export interface FoundUnits {
  /** Null where no unit keeps the container. */
  unit: ObservedUnit | null
  /** Other units that would start it. */
  claims: Claim[]
}

/**
 * The unit that keeps the container: the one that is named, the one whose client is running, or the one whose commands
 * keep it; first among active units, then among those that the next boot starts.
 * @throws AgentError `unit-missing` if one is required and there is none
 */
export async function findUnit(
  subject: Subject,
  { section, manager, unit }: Keeper,
  services: UnitState[],
  ports: UnitPorts,
): Promise<FoundUnits> {
  const { container } = subject
  const isStated = manager === 'systemd' && unit !== undefined
  const certain = isStated ? unit : await ports.systemd.unitOfClient(container)
  const named = certain === null ? null : await ports.systemd.show(certain)
  const [keeper, ...others] = isStated && named === null ? [] : await keepers(subject, named, services, ports)
  if (keeper) {
    const starting = others.flatMap(({ claim }) => (claim?.starts === true ? [claim] : []))
    const files = keeper.source.environmentFiles.map(({ path }) => path)
    const further = services.filter((state) => state.unit !== keeper.state.unit)
    const sharers = await sharersOf(files, further, ports.unitFiles)
    return { unit: { ...keeper, sharers }, claims: starting }
  }
  if (manager === 'auto') return { unit: null, claims: [] }
  const what = unit === undefined ? `no active unit runs docker for ${container}` : `${unit} does not exist`
  throw new AgentError('unit-missing', `cannot find the unit of ${container}: ${what}`, {
    fix: 'systemctl list-units --type=service shows the names; set SECTION.unit, or SECTION.manager: docker'.replaceAll(
      'SECTION',
      section,
    ),
  })
}

/** What is certain comes first, then what is up, then what is read as `docker run`. */
async function keepers(
  subject: Subject,
  named: UnitState | null,
  services: UnitState[],
  ports: UnitPorts,
): Promise<ObservedUnit[]> {
  const others = services.filter(
    (state) => state.unit !== named?.unit && (isUp(state) || startsAtBoot(state)),
  )
  const found = await Promise.all(others.map((state) => observeSuspect(state, subject, ports)))
  const ranked = found
    .flatMap((unit) => unit ?? [])
    .map((unit) => ({ unit, rank: rankOf(unit, subject) }))
    .sort((one, other) => one.rank - other.rank)
    .flatMap(({ unit, rank }) => (rank === Number.POSITIVE_INFINITY ? [] : [unit]))
  return named === null ? ranked : [await observeNamed(named, subject, ports), ...ranked]
}

function rankOf(unit: ObservedUnit, { container }: Subject): number {
  const isRead = runs(unit, container)
  if (!isRead && unit.claim === null) return Number.POSITIVE_INFINITY
  const order = isUp(unit.state) ? 0 : unit.state.active === 'failed' ? 2 : 4
  return order + (isRead ? 0 : 1)
}

const ENGINE = /\b(docker|podman|nerdctl|rkt|ctr|crictl|calicoctl|compose)\b/

async function observeNamed(state: UnitState, subject: Subject, ports: UnitPorts): Promise<ObservedUnit> {
  const unit = await observeUnit(state, await readSource(state, ports), subject, ports)
  return { ...unit, standsBy: false }
}

/** Null if nothing in the unit mentions the container: for most, the command lines are enough, and no file is read. */
async function observeSuspect(
  state: UnitState,
  subject: Subject,
  ports: UnitPorts,
): Promise<ObservedUnit | null> {
  const text = [state.unit, ...state.environmentFiles, ...state.commands].join('\n')
  if (!ENGINE.test(text) && !mentions(text, subject)) {
    const scripts = await readScripts(namedByLines(state.commands), ports.unitFiles)
    if (!scripts.some((script) => mentions(script.text, subject))) return null
  }
  const read = await readSource(state, ports)
  const { fragments, environmentFiles, scripts = [] } = read.source
  const isAbout = [...fragments, ...environmentFiles, ...scripts].some((file) => mentions(file.text, subject))
  return isAbout || mentions(text, subject) ? await observeUnit(state, read, subject, ports) : null
}

interface ReadSource {
  source: UnitSource
  /** Paths that are symbolic links. */
  links: string[]
}

async function readSource(state: UnitState, { unitFiles }: UnitPorts): Promise<ReadSource> {
  const links: string[] = []
  const read = async (path: string): Promise<UnitText[]> => {
    const file = await unitFiles.read(path)
    if (file?.isLink === true) links.push(path)
    return file ? [{ path, text: file.text }] : []
  }
  const source = await readUnitFiles(state, read, unitFiles)
  return { source: { ...source, scripts: await scriptsOf(namedFiles(source), unitFiles) }, links }
}

async function observeUnit(
  state: UnitState,
  { source, links }: ReadSource,
  subject: Subject,
  { unitFiles }: UnitPorts,
): Promise<ObservedUnit> {
  const claim = claimOf(source, subject)
  const places = [...source.fragments, ...source.environmentFiles].map((file) => file.path)
  const dropIns = ['/etc', '/run'].map((root) => `${root}/systemd/system/${state.unit}.d`)
  const paths = [...places, ...dropIns]
  const writable = await Promise.all([
    ...places.map((path) => unitFiles.isWritable(path)),
    ...dropIns.map((directory) => unitFiles.isWritable(`${directory}/calico-agent.conf`)),
  ])
  const readOnly = paths.filter((_, i) => !writable[i])
  // one that failed has left its container running
  return { state, source, links, claim, standsBy: state.active === 'inactive', readOnly }
}

/** The scripts that a unit names, and those that these name. */
async function scriptsOf(paths: string[], unitFiles: UnitFiles): Promise<UnitText[]> {
  const scripts = await readScripts(paths, unitFiles)
  const further = scripts.flatMap(namedByScript).filter((path) => !paths.includes(path))
  return [...scripts, ...(await readScripts([...new Set(further)], unitFiles))]
}

/** From its files or, if they are not known, from what systemd reports. */
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
