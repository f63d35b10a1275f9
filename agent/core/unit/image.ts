import { type DockerRunArgs, dockerCommand } from '../docker/run-args.ts'
import { unitVariables } from './environment.ts'
import { execCommands } from './exec-words.ts'
import { type Argument, expandArguments, expandSpecifiers, specifiersOf, type Variables } from './expand.ts'
import { assignmentsOf, type UnitText } from './lines.ts'
import { shellCommands } from './shell-words.ts'
import { type Place, placeOf, segmentsOf, type Traced, textOf } from './traced.ts'

/** A unit as systemd reads it: the main file, then the drop-ins; the environment files apart. */
export interface UnitSource {
  name: string
  fragments: UnitText[]
  environmentFiles: UnitText[]
}

/** Where a file names an image, or the part of it between `before` and `after`, which other places hold. */
export interface ImagePlace extends Place {
  before: string
  after: string
}

/** The `docker run` of a unit. */
export interface UnitRun {
  image: string
  docker: string[]
  /** Each part of the image that a place holds. */
  places: ImagePlace[]
  /** The word of `ExecStart=` that stands for the image. */
  written: Place
  /** The values of `ExecStart=` that are in force. */
  execStart: Place[]
}

export type UnitReading =
  | { kind: 'runs'; run: UnitRun }
  /** It starts the container in a way that cannot be changed here. */
  | { kind: 'refused'; why: string; fix: string }
  /** It has nothing to do with the container. */
  | { kind: 'other' }

const BY_VARIABLE = 'name the image in the unit as one word, or as ${CALICO_NODE_IMAGE} from its Environment='

/** How a unit starts a container, and where it names the image. */
export function readUnit(source: UnitSource, container: string): UnitReading {
  const unit = commandsOf(source)
  for (const words of unit.start) {
    const command = dockerCommand(words)
    if (command.kind === 'run' && command.run.name === container) return runOf(command.run, unit)
    if (command.kind === 'start' && command.containers.includes(container)) {
      return refused(
        'it starts a container that was made beforehand, and names no image',
        'have the unit run docker run, with the image as one word',
      )
    }
    if (!mentions(words, container)) continue
    if (command.kind === 'podman')
      return refused('it runs podman, and this agent knows Docker', 'change the image in the unit by hand')
    if (command.kind === 'unknown-option') {
      return refused(
        `its docker run has the option ${command.option}, which this agent does not know`,
        'write it as --option=value',
      )
    }
  }
  return { kind: 'other' }
}

/** The place to change so that the unit names `image`; null where other places hold parts that differ. */
export function placeFor({ places }: UnitRun, image: string): ImagePlace | null {
  const fits = places.filter(
    ({ before, after }) =>
      image.startsWith(before) && image.endsWith(after) && image.length > before.length + after.length,
  )
  return fits.at(-1) ?? null
}

/** The file's text with the image changed, and nothing else. */
export function replaceImage(text: string, { start, end, before, after }: ImagePlace, image: string): string {
  return text.slice(0, start) + image.slice(before.length, image.length - after.length) + text.slice(end)
}

interface UnitCommands {
  /** Argument lists of `ExecStart=`. */
  start: Argument[][]
  /** Of the commands around it. */
  around: Argument[][]
  execStart: Traced[]
}

function commandsOf({ name, fragments, environmentFiles }: UnitSource): UnitCommands {
  const specifiers = specifiersOf(name)
  const service = fragments.flatMap(assignmentsOf).filter(({ section }) => section === 'Service')
  const variables = unitVariables(service, environmentFiles, specifiers)
  const inForce = (key: string): Traced[] => {
    const values = service.filter((assignment) => assignment.key === key).map(({ value }) => value)
    return values.slice(values.findLastIndex((value) => value.length === 0) + 1)
  }
  const lists = (values: Traced[]): Argument[][] =>
    values.flatMap((value) => argumentLists(value, specifiers, variables))
  const execStart = inForce('ExecStart')
  const around = ['ExecStartPre', 'ExecStartPost'].flatMap(inForce)
  return { start: lists(execStart), around: lists(around), execStart }
}

function argumentLists(
  value: Traced,
  specifiers: ReadonlyMap<string, string>,
  variables: Variables,
): Argument[][] {
  return (execCommands(value) ?? []).flatMap(({ prefix, words: raw }) => {
    const words = raw.map((word) => expandSpecifiers(word, specifiers))
    const script = shellScript(words)
    if (script !== null) return shellCommands(script, variables) ?? []
    // `:` switches variables off
    if (prefix.includes(':')) return [words.map((word) => ({ text: word, written: word }))]
    return [expandArguments(words, variables)]
  })
}

/** What `sh -c` is given; null where the program is no shell. */
function shellScript(words: Traced[]): Traced | null {
  const [program = '', ...options] = words.map(textOf)
  const at = options.findIndex((option) => /^-[a-z]*c$/.test(option))
  return /(^|\/)(ba|da|a)?sh$/.test(program) && at >= 0 ? (words[at + 2] ?? null) : null
}

function mentions(words: Argument[], container: string): boolean {
  return words.some(({ text }) => [container, `--name=${container}`].includes(textOf(text)))
}

function runOf({ image, docker }: DockerRunArgs, unit: UnitCommands): UnitReading {
  const name = textOf(image.text)
  const written = placeOf(image.written)
  if (name === '') {
    return refused(
      `its image ${textOf(image.written)} is empty: nothing sets the variable`,
      'set it in the Environment= of the unit',
    )
  }
  const segments = segmentsOf(image.text)
  if (written === null || segments.some(({ place }) => place === null)) {
    return refused(`its image ${name} is put together by quotes, escapes or specifiers`, BY_VARIABLE)
  }
  if (isNamedTwice(image, unit)) return refused(`it names the image ${name} in several commands`, BY_VARIABLE)
  const places = segments.flatMap(({ place, text }, i) =>
    place === null || text === '' ? [] : [{ ...place, ...around(segments, i) }],
  )
  const execStart = unit.execStart.flatMap((value) => extentOf(value) ?? [])
  return { kind: 'runs', run: { image: name, docker, places, written, execStart } }
}

function around(segments: { text: string }[], at: number): { before: string; after: string } {
  const join = (some: { text: string }[]): string => some.map(({ text }) => text).join('')
  return { before: join(segments.slice(0, at)), after: join(segments.slice(at + 1)) }
}

/** Such as a `docker pull` before the start: one change would leave the other behind. */
function isNamedTwice(image: Argument, { start, around: others }: UnitCommands): boolean {
  const places = JSON.stringify(segmentsOf(image.text))
  return [...start, ...others]
    .flat()
    .some(({ text }) => textOf(text) === textOf(image.text) && JSON.stringify(segmentsOf(text)) !== places)
}

/** From a value's first to its last character: the lines and comments between them with it. */
function extentOf(value: Traced): Place | null {
  const [first, last] = [value.at(0), value.at(-1)]
  return first?.file == null || !last ? null : { file: first.file, start: first.at, end: last.at + 1 }
}

function refused(why: string, fix: string): UnitReading {
  return { kind: 'refused', why, fix }
}
