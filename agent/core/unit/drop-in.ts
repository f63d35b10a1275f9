import type { ObservedUnit } from '../model.ts'
import { readUnit, type UnitRun } from './image.ts'
import type { UnitText } from './lines.ts'

/** `ExecStart=` as it is in force, lines and comments as they are, with another image. */
export function writeExecStart(
  { source }: ObservedUnit,
  { execStart, written }: UnitRun,
  image: string,
): string {
  const values = execStart.map(({ file, start, end }) => {
    const text = source.fragments.find(({ path }) => path === file)?.text ?? ''
    if (written.file !== file || written.start < start || written.end > end) return text.slice(start, end)
    return text.slice(start, written.start) + image + text.slice(written.end, end)
  })
  return ['ExecStart=', ...values.map((value) => `ExecStart=${value}`), ''].join('\n')
}

/** The drop-in that makes an image last. */
export function lastingText(unit: ObservedUnit, run: UnitRun, image: string): string {
  const header = '# Written by calico-agent: the file that names the image is not the operator’s own.'
  return `${header}\n[Service]\n${writeExecStart(unit, run, image)}`
}

/** Nobody has added to the drop-in, and for that image the unit says without it what it would say. */
export function isNeedless(dropIn: UnitText, unit: ObservedUnit, container: string, image: string): boolean {
  const fragments = unit.source.fragments.filter((fragment) => fragment !== dropIn)
  const without = { ...unit, source: { ...unit.source, fragments } }
  const [now, then] = [readUnit(unit.source, container), readUnit(without.source, container)]
  if (now.kind !== 'runs' || then.kind !== 'runs' || then.run.image !== image) return false
  const isOurs = dropIn.text === lastingText(unit, now.run, now.run.image)
  return isOurs && lastingText(without, then.run, image) === lastingText(unit, now.run, image)
}

interface Trial {
  run: string
  container: string
  docker: string[]
  execStart: string
}

/**
 * The drop-in of a swap. `docker rm --force` sends KILL, whatever the unit's own ExecStop= does, and frees the name also
 * where only that ExecStop= would. SIGCONT, which every process takes, stands for systemd's TERM: docker would hand
 * that on to a container that lives on.
 */
export function trialText({ run, container, docker, execStart }: Trial): string {
  const [program = ''] = docker
  const absolute = program.startsWith('/') ? docker : ['/usr/bin/env', ...docker]
  const remove = [...absolute, 'rm', '--force', container].map(execWord).join(' ')
  return [
    `# Written by calico-agent, run ${run}: the unit while an image is on trial. It goes with the run, or at a reboot.`,
    '[Service]',
    `${execStart}ExecStop=`,
    `ExecStop=-${remove}`,
    'Restart=no',
    'KillSignal=SIGCONT',
    'TimeoutStopSec=10',
    '',
  ].join('\n')
}

/** A word of a command line that means itself. */
function execWord(word: string): string {
  const escaped = word.replaceAll('%', '%%').replaceAll('$', '$$$$')
  return /^[\w@%+=:,./$-]+$/.test(escaped) ? escaped : `"${escaped.replaceAll(/["\\]/g, '\\$&')}"`
}
