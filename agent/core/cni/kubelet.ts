import type { Problem } from '../errors.ts'
import { execLines, type UnitSource } from '../unit/commands.ts'
import { textOf } from '../unit/traced.ts'

/** `auto`: only if it would not see the change otherwise. */
export type KubeletRestart = 'auto' | 'always' | 'never'

/** The kubelet, as reported by systemd and by itself. */
export interface KubeletFacts {
  unit: string
  state: 'running' | 'stopped' | 'missing'
  /** What `kubelet --version` printed; null if it could not be asked. */
  version: string | null
}

/** From 1.4 on the kubelet reads the CNI config again and again (syncNetworkConfig); before, only when it starts. */
const FIRST_TO_REREAD = [1, 4] as const

/** Major and minor of "Kubernetes v1.3.10+coreos.0". */
function kubernetesVersion(printed: string | null): [number, number] | null {
  const found = /\bv(\d+)\.(\d+)/.exec(printed ?? '')
  return found ? [Number(found[1]), Number(found[2])] : null
}

/**
 * What to ask a kubelet's version with, by `ExecStart=` as systemctl shows it. Only the programs themselves: a wrapper
 * script or `docker run` would do more than answer.
 */
export function versionCommand(execStart: string): string[] | null {
  const argv = execStartArguments(execStart)
  const [program = ''] = argv
  if (/^\/(.*\/)?kubelet$/.test(program)) return [program, '--version']
  if (/^\/(.*\/)?hyperkube$/.test(program) && argv[1] === 'kubelet') return [program, 'kubelet', '--version']
  return null
}

/** The directory of manifests in a kubelet's arguments; null if they do not name one. */
export function manifestFlags(argv: string[]): { directory: string | null; config: string | null } {
  return { directory: flagValue(argv, '--pod-manifest-path'), config: flagValue(argv, '--config') }
}

/** The last one counts; the kubelet takes `_` in a flag's name for `-` (WordSepNormalizeFunc). */
export function flagValue(argv: string[], flag: string): string | null {
  const nameOf = (word: string) => (word.split('=')[0] ?? '').replaceAll('_', '-')
  const i = argv.findLastIndex((word) => nameOf(word) === flag)
  const word = argv[i]
  return word === undefined ? null : word.includes('=') ? word.slice(flag.length + 1) : (argv[i + 1] ?? null)
}

/** The arguments of `ExecStart=` as systemctl shows it, variables as they are written. */
export function execStartArguments(execStart: string): string[] {
  return /argv\[\]=([^;]*)/.exec(execStart)?.[1]?.trim().split(/\s+/) ?? []
}

/** A program's own name comes first, after an interpreter if it is a script, or after hyperkube's. */
export function isKubelet(argv: string[]): boolean {
  return argv.slice(0, 2).some((word) => /(^|\/)(kubelet|hyperkube)$/.test(word))
}

/** The words of a unit's `ExecStart=`, with variables expanded; for `sh -c`, those of the script. */
export function startedWords(source: UnitSource): string[] {
  const commands = execLines(source, ['ExecStart']).flatMap((line) => line.commands)
  return commands.flat().map(({ text }) => textOf(text))
}

/** Whether the kubelet must be restarted to see a changed config, and what prevents that. */
export function kubeletRestart(
  { unit, state, version }: KubeletFacts,
  restart: KubeletRestart,
): { restart: boolean; problems: Problem[] } {
  const known = kubernetesVersion(version)
  if (restart === 'auto' && known === null) return { restart: false, problems: [unknownVersion(unit)] }
  const old = known !== null && (known[0] - FIRST_TO_REREAD[0] || known[1] - FIRST_TO_REREAD[1]) < 0
  if (restart === 'never' || (restart === 'auto' && !old)) return { restart: false, problems: [] }
  if (state === 'running') return { restart: true, problems: [] }
  return { restart: false, problems: [state === 'stopped' ? stopped(unit) : missing(unit)] }
}

function unknownVersion(unit: string): Problem {
  return {
    code: 'kubelet-version-unknown',
    severity: 'warning',
    message: `cannot determine the kubelet's version: it is not restarted, and a kubelet before Kubernetes 1.4 does not see the new config`,
    fix: `set kubelet.restart to always or never; kubelet.unit is ${unit}`,
  }
}

function stopped(unit: string): Problem {
  return {
    code: 'kubelet-stopped',
    severity: 'warning',
    message: `${unit} is not running: the agent does not start it; it reads the new config when it starts`,
    fix: `systemctl start ${unit}`,
  }
}

function missing(unit: string): Problem {
  return {
    code: 'kubelet-unit-missing',
    severity: 'error',
    message: `cannot restart the kubelet after the change: ${unit} does not exist`,
    fix: 'set kubelet.unit in the config; or set kubelet.restart to never, and restart the kubelet yourself',
  }
}
