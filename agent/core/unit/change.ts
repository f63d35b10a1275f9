import type { ObservedUnit } from '../model.ts'
import { isNeedless, permanentDropIn, trialText } from './drop-in.ts'
import { PERMANENT_DROP_IN, placeFor, readUnit, replaceImage, SIMPLER, type UnitRun } from './image.ts'
import { sharedWithUnit } from './shared.ts'

/** A file before and after; null if there is none. */
export interface FileEdit {
  path: string
  before: string | null
  after: string | null
}

/** How to change a unit from one image to another and back. */
export interface UnitChange {
  unit: string
  container: string
  from: string
  to: string
  /**
   * A drop-in that lasts until the next boot at most: it starts `to` (or `from`, on the way back), stops with KILL,
   * and restarts nothing by itself.
   */
  trial: { path: string; forward: string; back: string }
  /** What makes `to` permanent; null if the unit already names it. */
  edit: FileEdit | null
  /** If the unit already names `to`: what makes `from` permanent on the way back. */
  editBack: FileEdit | null
}

export interface UnitRefusal {
  why: string
  fix: string
}

interface Images {
  run: string
  /** What runs now. */
  from: string
  /** Null: what the unit names, if nothing is requested. */
  to: string | null
}

/** The change of a unit that runs `container`, or why it cannot be changed here. */
export function unitChange(
  unit: ObservedUnit,
  container: string,
  { run, from, to: wanted }: Images,
): UnitChange | UnitRefusal {
  const { state, source } = unit
  const name = source.name
  if (state.load === 'masked' || state.fileState.startsWith('masked'))
    return { why: 'it is masked: systemd would not start it again', fix: `systemctl unmask ${name}` }
  if (state.transient)
    return { why: 'it is transient: it has no unit file', fix: `write a unit file for ${container}` }
  const reading = readUnit(source, container)
  if (unit.standsBy === true) return standingBy(unit, container)
  if (reading.kind === 'other') return unread(unit, container)
  if (reading.kind === 'refused') {
    const { why, fix } = reading
    return { why: /Exec\w+=/.test(why) ? why : why + quoted(unit), fix }
  }
  const to = wanted ?? reading.run.image
  const edit = editTo(unit, container, reading.run, to)
  if (edit === null)
    return { why: `it builds ${reading.run.image} from parts that ${to} does not have`, fix: SIMPLER }
  const shared = movesAnother(unit, reading.run, to)
  if (shared !== null) return shared
  const named = reading.run.image === to
  const trial = (image: string): string => trialText(unit, reading.run, { container, image, id: run })
  const change = {
    unit: name,
    container,
    from,
    to,
    trial: { path: `/run/systemd/system/${name}.d/${TRIAL}`, forward: trial(to), back: trial(from) },
    edit: named ? null : edit,
    editBack: named ? editTo(unit, container, reading.run, from) : null,
  }
  return readOnly(unit, change) ?? change
}

function movesAnother({ source, sharers = [] }: ObservedUnit, run: UnitRun, to: string): UnitRefusal | null {
  const place = run.image === to ? null : placeFor(run, to)
  const shared = place && sharedWithUnit(place, source.environmentFiles, sharers)
  if (!shared) return null
  return {
    why: `the variable ${shared.variable} in its image is also used in ${shared.unit}, as ${shared.word}, which would change with it`,
    fix: 'use a separate variable for the image of the container',
  }
}

/** Checked early: otherwise it fails at the edit, when the new image is already up. */
function readOnly(
  { readOnly: all = [] }: ObservedUnit,
  { trial, edit, editBack }: UnitChange,
): UnitRefusal | null {
  const directoryOf = (path: string): string => path.replace(/\/[^/]*$/, '')
  const paths = [trial, edit, editBack].flatMap((file) => file?.path ?? [])
  const path = paths.find((one) => all.includes(one) || all.includes(directoryOf(one)))
  if (path === undefined) return null
  const directory = directoryOf(path)
  return {
    why: `${path}, which names its image, is not writable for the agent`,
    fix: `add ReadWritePaths=${directory} to the agent's service in a drop-in, and restart it; or run calico-agent upgrade by hand`,
  }
}

/** It is down, and the container runs without it: at the next boot it would start the image that it names. */
function standingBy(unit: ObservedUnit, container: string): UnitRefusal {
  const { name } = unit.source
  return {
    why: `it is not active, but starts ${container} at the next boot${quoted(unit)}`,
    fix: `if Docker is to keep ${container} running, systemctl disable ${name}; otherwise systemctl start ${name}`,
  }
}

function unread(unit: ObservedUnit, container: string): UnitRefusal {
  const { claim } = unit
  if (claim == null) return { why: `its ExecStart= has no readable docker run of ${container}`, fix: SIMPLER }
  const does = claim.starts ? 'starts' : 'follows'
  return { why: `it ${does} ${container} in a way that the agent cannot change${quoted(unit)}`, fix: SIMPLER }
}

/** The line to quote. */
function quoted({ claim }: ObservedUnit): string {
  return claim == null ? '' : `: ${claim.line}`
}

/** Drop-ins are read in the order of their names, whatever directory they are in: these come last. */
const TRIAL = 'zzz-calico-agent-trial.conf'

/**
 * A changed file if it is the operator's own, otherwise a drop-in: a package's or a store's file is not touched. The
 * drop-in is removed if that file says the same.
 */
function editTo(unit: ObservedUnit, container: string, run: UnitRun, image: string): FileEdit | null {
  const place = placeFor(run, image)
  if (place === null) return null
  const { source, links } = unit
  const path = `/etc/systemd/system/${source.name}.d/${PERMANENT_DROP_IN}`
  const dropIn = source.fragments.find((fragment) => fragment.path === path)
  if (dropIn && isNeedless(dropIn, unit, container, image)) return { path, before: dropIn.text, after: null }
  const file = [...source.fragments, ...source.environmentFiles].find((text) => text.path === place.file)
  // a drop-in to which no one has added is rewritten as a whole
  const isOwn = file === dropIn && dropIn?.text === permanentDropIn(unit, run, run.image)
  if (file && !isOwn && !links.includes(file.path) && isOperators(file.path))
    return { path: file.path, before: file.text, after: replaceImage(file.text, place, image) }
  return { path, before: dropIn?.text ?? null, after: permanentDropIn(unit, run, image) }
}

/** The file of a template is left alone too: other instances use it. */
function isOperators(path: string): boolean {
  return !/^\/(usr|lib|run|nix|gnu)\//.test(path) && !/@\.service(\.d\/[^/]*)?$/.test(path)
}
