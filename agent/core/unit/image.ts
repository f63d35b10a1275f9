import { type DockerRunArgs, dockerCommand } from '../docker/run-args.ts'
import { type ExecLine, execLines, settingOf, type UnitSource } from './commands.ts'
import type { Argument } from './expand.ts'
import { sharedWith } from './shared.ts'
import { obstacleToStart } from './starts-again.ts'
import { type Place, placeOf, segmentsOf, type Traced, textOf } from './traced.ts'

/** Where a file names an image, or the part of it between `before` and `after`, if those come from other places. */
export interface ImagePlace extends Place {
  before: string
  after: string
}

/** The `docker run` of a unit. */
export interface UnitRun {
  image: string
  docker: string[]
  /** Each part of the image, with its place. */
  places: ImagePlace[]
  /** The word of `ExecStart=` that stands for the image. */
  written: Place
  /** The effective values of `ExecStart=`. */
  execStart: Place[]
  /** Other lines with the same variable, such as a pull before the start: all values of the key, and the words. */
  named: { key: string; values: Place[]; written: Place[] }[]
}

export type UnitReading =
  | { kind: 'runs'; run: UnitRun }
  /** It starts the container in a way that cannot be changed here. */
  | { kind: 'refused'; why: string; fix: string }
  /** It has nothing to do with the container. */
  | { kind: 'other' }

/** The agent's own drop-in, where the file that names the image is not the operator's. */
export const PERMANENT_DROP_IN = 'zz-calico-agent.conf'

export const SIMPLER = 'change ExecStart= to a docker run command that names the image as one word'
const BY_VARIABLE = 'name the image in the unit as one word, or as ${CALICO_NODE_IMAGE} from its Environment='

/** How a unit starts a container, and where it names the image. */
export function readUnit(source: UnitSource, container: string): UnitReading {
  const unit = commandsOf(source)
  for (const words of of(unit, 'ExecStart').flatMap(({ commands }) => commands)) {
    const command = dockerCommand(words)
    if (command.kind === 'run' && command.run.name === container) return runOf(command.run, unit, container)
    if (command.kind === 'start' && command.containers.includes(container)) {
      return refused('it starts an existing container, and names no image', SIMPLER)
    }
    if (!mentions(words, container)) continue
    if (command.kind === 'podman')
      return refused(
        'it runs podman, and the agent supports only Docker',
        'change the image in the unit by hand',
      )
    if (command.kind === 'unknown-option') {
      return refused(
        `its docker run has the option ${command.option}, which the agent does not know`,
        'write it as --option=value',
      )
    }
  }
  return { kind: 'other' }
}

/** The place to change so that the unit names `image`; null if other places contain parts that differ. */
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
  lines: ExecLine[]
  /** Whether it stays active when its processes have ended. */
  remains: boolean
}

function commandsOf(source: UnitSource): UnitCommands {
  return {
    lines: execLines(source),
    remains: /^(1|yes|y|true|t|on)$/i.test(settingOf(source, 'RemainAfterExit')),
  }
}

function of({ lines }: UnitCommands, ...keys: string[]): ExecLine[] {
  return lines.filter(({ key }) => keys.includes(key))
}

function mentions(words: Argument[], container: string): boolean {
  return words.some(({ text }) => [container, `--name=${container}`].includes(textOf(text)))
}

function runOf(found: DockerRunArgs, unit: UnitCommands, container: string): UnitReading {
  const { image, docker, detached } = found
  const name = textOf(image.text)
  const written = placeOf(image.written)
  if (name === '') {
    return refused(
      `its image ${textOf(image.written)} is empty: the variable is not set`,
      'set it with Environment= in the unit',
    )
  }
  const segments = segmentsOf(image.text)
  if (written === null || segments.some(({ place }) => place === null)) {
    return refused(`its image ${name} contains quotes, escapes or specifiers`, BY_VARIABLE)
  }
  if (detached && !unit.remains) {
    return refused(
      'its docker run -d leaves the container running when the unit stops, and a restart of the unit would lose it',
      'remove -d from its docker run; or set RemainAfterExit=yes',
    )
  }
  const obstacle = obstacleToStart(found, unit.lines, container)
  if (obstacle !== null) return { kind: 'refused', ...obstacle }
  if (isNamedTwice(image, unit)) return refused(`it names the image ${name} in several commands`, BY_VARIABLE)
  const other = sharedWith(image, unit.lines)
  if (other !== null) {
    return refused(
      `the variable in its image ${name} is also used in ${other}, which would change with it`,
      'use a separate variable for the image of the container',
    )
  }
  const places = segments.flatMap(({ place, text }, i) =>
    place === null || text === '' ? [] : [{ ...place, ...around(segments, i) }],
  )
  const execStart = of(unit, 'ExecStart').flatMap(({ value }) => extentOf(value) ?? [])
  const named = namedBeside(image, unit)
  return { kind: 'runs', run: { image: name, docker, places, written, execStart, named } }
}

function around(segments: { text: string }[], at: number): { before: string; after: string } {
  const join = (some: { text: string }[]): string => some.map(({ text }) => text).join('')
  return { before: join(segments.slice(0, at)), after: join(segments.slice(at + 1)) }
}

/**
 * Such as a `docker pull` before the start: changing one would leave the other behind. The agent rewrites its own drop-in
 * as a whole.
 */
function isNamedTwice(image: Argument, unit: UnitCommands): boolean {
  const places = JSON.stringify(segmentsOf(image.text))
  const isOwn = ({ written }: Argument) => placeOf(written)?.file.endsWith(`/${PERMANENT_DROP_IN}`) === true
  return of(unit, 'ExecStart', 'ExecStartPre', 'ExecStartPost')
    .flatMap(({ commands }) => commands.flat())
    .filter(({ text }) => textOf(text) === textOf(image.text))
    .some((word) => JSON.stringify(segmentsOf(word.text)) !== places && !(isOwn(image) && isOwn(word)))
}

/** They use the same place for it; in `ExecStart=` itself, that is the word of the run. */
function namedBeside(image: Argument, { lines }: UnitCommands): UnitRun['named'] {
  const keys = new Set(lines.map(({ key }) => key))
  keys.delete('ExecStart')
  return [...keys].flatMap((key) => {
    const own = lines.filter((line) => line.key === key)
    const words = own.flatMap(({ commands }) => commands.flat())
    const same = words.filter(({ text }) => textOf(text) === textOf(image.text))
    const written = same.flatMap((word) => placeOf(word.written) ?? [])
    const values = own.flatMap(({ value }) => extentOf(value) ?? [])
    return written.length === 0 ? [] : [{ key, values, written }]
  })
}

/** From a value's first to its last character: the lines and comments between them with it. */
function extentOf(value: Traced): Place | null {
  const [first, last] = [value.at(0), value.at(-1)]
  return first?.file == null || !last ? null : { file: first.file, start: first.at, end: last.at + 1 }
}

function refused(why: string, fix: string): UnitReading {
  return { kind: 'refused', why, fix }
}
