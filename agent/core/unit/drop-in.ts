import type { ObservedUnit } from '../model.ts'
import { type ExecLine, execLines, settingOf } from './commands.ts'
import { readUnit, type UnitRun } from './image.ts'
import type { UnitText } from './lines.ts'
import { neededLines } from './starts-again.ts'
import { textOf } from './traced.ts'

/** The effective `ExecStart=` with another image, its lines and comments unchanged. */
function writeExecStart(
  unit: ObservedUnit,
  { execStart, written }: UnitRun,
  image: string,
  prefixed = (line: string) => line,
): string {
  const lines = { key: 'ExecStart', values: execStart, written: [written] }
  return writeLines(unit, lines, image, prefixed)
}

/** `prefixed` changes a line that names the image. */
function writeLines(
  { source }: ObservedUnit,
  { key, values, written }: UnitRun['named'][number],
  image: string,
  prefixed = (line: string) => line,
): string {
  const lines = values.map(({ file, start, end }) => {
    const text = source.fragments.find(({ path }) => path === file)?.text ?? ''
    const words = written.filter((word) => word.file === file && word.start >= start && word.end <= end)
    const line = words
      .toSorted((one, other) => other.start - one.start)
      .reduce(
        (rest, word) => rest.slice(0, word.start - start) + image + rest.slice(word.end - start),
        text.slice(start, end),
      )
    return words.length > 0 ? prefixed(line) : line
  })
  return [`${key}=`, ...lines.map((line) => `${key}=${line}`), ''].join('\n')
}

/** The drop-in that makes an image permanent. Its pull pulls the image that it runs. */
export function permanentDropIn(unit: ObservedUnit, run: UnitRun, image: string): string {
  const header = "# Written by calico-agent: the file that names the image is not the operator's own."
  const beside = run.named.map((lines) => writeLines(unit, lines, image))
  return `${header}\n[Service]\n${writeExecStart(unit, run, image)}${beside.join('')}`
}

/** No one has added to the drop-in, and without it the unit has the same meaning for that image. */
export function isNeedless(dropIn: UnitText, unit: ObservedUnit, container: string, image: string): boolean {
  const fragments = unit.source.fragments.filter((fragment) => fragment !== dropIn)
  const without = { ...unit, source: { ...unit.source, fragments } }
  const [now, then] = [readUnit(unit.source, container), readUnit(without.source, container)]
  if (now.kind !== 'runs' || then.kind !== 'runs' || then.run.image !== image) return false
  const isOurs = dropIn.text === permanentDropIn(unit, now.run, now.run.image)
  return isOurs && permanentDropIn(without, then.run, image) === permanentDropIn(unit, now.run, image)
}

/**
 * The drop-in of a swap. `docker rm --force` sends KILL, whatever the unit's own ExecStop= does, and frees the name also
 * if only that ExecStop= would. What the unit prepares for its container was prepared when it started: it is neither
 * undone nor repeated, so that no pull or wait is in the window, except what each start needs.
 * `-` and RemainAfterExit= keep a unit active whose container died, and a killed container does not count as failed:
 * units bound to it stay, OnFailure= does not run.
 */
export function trialText(unit: ObservedUnit, run: UnitRun, { container, image, id }: Trial): string {
  const [program = ''] = run.docker
  const absolute = program.startsWith('/') ? run.docker : ['/usr/bin/env', ...run.docker]
  const remove = [...absolute, 'rm', '--force', container].map(execWord).join(' ')
  const keepsDirectory = settingOf(unit.source, 'RuntimeDirectory') !== ''
  return [
    `# Written by calico-agent, run ${id}: the unit while a new image is on trial. Removed at the end of the run, or by a reboot.`,
    '[Service]',
    ...aroundLines(execLines(unit.source), container),
    `${writeExecStart(unit, run, image, forgiven)}ExecStop=`,
    `ExecStop=-${remove}`,
    ...(waitsForWord(unit, run) ? ['Type=simple'] : []),
    ...(keepsDirectory ? ['RuntimeDirectoryPreserve=yes'] : []),
    'RemainAfterExit=yes',
    'Restart=no',
    // the one that is running now also ends with KILL
    'SuccessExitStatus=137 SIGKILL',
    // docker would pass systemd's TERM on to a container that stays
    'KillSignal=SIGKILL',
    'TimeoutStopSec=10',
    '',
  ].join('\n')
}

interface Trial {
  container: string
  image: string
  /** Of the run. */
  id: string
}

const AROUND = ['ExecCondition', 'ExecStartPre', 'ExecStartPost', 'ExecStopPost']

function aroundLines(lines: ExecLine[], container: string): string[] {
  const needed = neededLines(lines, container)
  const there = AROUND.filter((key) => lines.some((line) => line.key === key))
  return there.flatMap((key) => [
    `${key}=`,
    ...needed.filter((line) => line.key === key).map(({ value }) => `${key}=${forgiven(textOf(value))}`),
  ])
}

/** The drop-in with all that the unit prepares for its container: for a start that fails without it. */
export function withPreparation(trial: string): string {
  return trial.replaceAll(new RegExp(`^(${AROUND.join('|')})=\n`, 'gm'), '')
}

/** systemd accepts each prefix only once. */
function forgiven(line: string): string {
  return /^[@:+!|]*-/.test(line) ? line : `-${line}`
}

/**
 * Its `docker run` is up, and systemd still waits for what never comes, such as a notification. Only a oneshot may have
 * several lines.
 */
function waitsForWord({ state }: ObservedUnit, { execStart }: UnitRun): boolean {
  return state.active === 'activating' && state.sub === 'start' && execStart.length === 1
}

/** A word of a command line that means itself. */
function execWord(word: string): string {
  const escaped = word.replaceAll('%', '%%').replaceAll('$', '$$$$')
  return /^[\w@%+=:,./$-]+$/.test(escaped) ? escaped : `"${escaped.replaceAll(/["\\]/g, '\\$&')}"`
}
