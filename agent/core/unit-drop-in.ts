import type { ObservedUnit } from './model.ts'
import type { UnitRun } from './unit-image.ts'

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
