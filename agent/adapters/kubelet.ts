import { realpath, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import {
  execStartArguments,
  isKubelet,
  type KubeletFacts,
  manifestFlags,
  startedWords,
  versionCommand,
} from '../core/cni/kubelet.ts'
import { cniFlags, type KubeletDirectory } from '../core/cni/kubelet-directories.ts'
import { AgentError } from '../core/errors.ts'
import type { UnitSource } from '../core/unit/commands.ts'
import type { Kubelet } from '../ports/kubelet.ts'
import { cannotStart } from './program-error.ts'
import { readText } from './read-file.ts'
import { runProgram } from './run-program.ts'

const ASK_MS = 10_000
/** systemd's own limit for a start is 90 s. */
const RESTART_MS = 120_000
/** Size limit of its config, its unit's files and its command line. */
const MAX_BYTES = 1024 * 1024
/** From a unit's main process down to the kubelet: a script, a shell, a supervisor. */
const MOST_BELOW = 3
const RUNS = new Set(['active', 'activating', 'reloading'])

/** The kubelet, by systemctl; a host without systemd has no such unit. */
export function createKubelet(): Kubelet {
  return { look, startedAt, manifests, cniDirectories, restart }
}

async function look(unit: string): Promise<KubeletFacts> {
  const { LoadState, ActiveState = '', ExecStart = '' } = await show(unit)
  const isMissing = LoadState === undefined || LoadState === 'not-found'
  const command = isMissing ? ['kubelet', '--version'] : versionCommand(ExecStart)
  return {
    unit,
    state: isMissing ? 'missing' : RUNS.has(ActiveState) ? 'running' : 'stopped',
    version: command && (await printed(command)),
  }
}

async function startedAt(unit: string): Promise<number | null> {
  const { ActiveState, ExecMainStartTimestampMonotonic: began } = await show(unit)
  return ActiveState === 'active' ? Number(began) : null
}

/** A running process has its variables expanded; otherwise systemd's files define them. */
async function argumentsOf(unit: string): Promise<string[]> {
  const shown = await show(unit)
  const { ExecStart = '', MainPID = '0' } = shown
  const running = MainPID === '0' ? null : await argumentsOfProcess(MainPID)
  if (running) return running
  const words = startedWords(await unitSource(unit, shown))
  return words.length > 0 ? words : execStartArguments(ExecStart)
}

/** A script may have started it and wait: the kubelet is then its child. */
async function argumentsOfProcess(pid: string): Promise<string[] | null> {
  const own = await commandLine(pid)
  let pids = [pid]
  for (let depth = 0; depth <= MOST_BELOW && pids.length > 0; depth++) {
    const lines = await Promise.all(pids.map(commandLine))
    const kubelet = lines.find((argv) => argv && isKubelet(argv))
    if (kubelet) return kubelet
    pids = (await Promise.all(pids.map(childrenOf))).flat()
  }
  return own
}

async function commandLine(pid: string): Promise<string[] | null> {
  return (await textOf(`/proc/${pid}/cmdline`))?.split('\0').filter((word) => word !== '') ?? null
}

async function childrenOf(pid: string): Promise<string[]> {
  const text = await textOf(`/proc/${pid}/task/${pid}/children`)
  return (text ?? '').split(' ').filter((word) => word.trim() !== '')
}

/** The unit's files, as far as they can be read. */
async function unitSource(unit: string, shown: Partial<Record<string, string>>): Promise<UnitSource> {
  const { FragmentPath = '', DropInPaths = '', EnvironmentFiles = '' } = shown
  const read = async (path: string) => {
    const text = await textOf(path)
    return text === undefined ? [] : [{ path, text }]
  }
  const all = async (paths: string[]) =>
    (await Promise.all(paths.filter((path) => path !== '').map(read))).flat()
  return {
    name: unit,
    fragments: await all([FragmentPath, ...DropInPaths.split(' ')]),
    environmentFiles: await all(
      EnvironmentFiles.split('\n').map((line) => line.replace(/ \(ignore_errors=\w+\)$/, '')),
    ),
  }
}

async function cniDirectories(
  unit: string,
  asked: { configDir: string; binDir: string },
): Promise<KubeletDirectory[]> {
  return await Promise.all(
    cniFlags(await argumentsOf(unit)).map(async ({ flag, paths }) => {
      const own = await realOf(flag === '--cni-conf-dir' ? asked.configDir : asked.binDir)
      const theirs = await Promise.all(paths.map(realOf))
      return { flag, paths, isAsked: theirs.includes(own) }
    }),
  )
}

/** One directory may have several names. */
async function realOf(path: string): Promise<string> {
  return await realpath(path).catch(() => resolve(path))
}

async function manifests(unit: string): Promise<string | null> {
  const { directory, config } = manifestFlags(await argumentsOf(unit))
  if (directory !== null || config === null) return directory
  // up to Kubernetes 1.7 the directory itself, later a KubeletConfiguration
  if ((await stat(config).catch(() => null))?.isDirectory() === true) return config
  return await staticPodPath(config)
}

async function staticPodPath(config: string): Promise<string | null> {
  const text = (await textOf(config)) ?? ''
  const { parseDocument } = await import('yaml')
  const path: unknown = parseDocument(text).get('staticPodPath')
  return typeof path === 'string' && path !== '' ? resolve(dirname(config), path) : null
}

async function textOf(path: string): Promise<string | undefined> {
  return await readText(path, MAX_BYTES).catch(() => undefined)
}

async function restart(unit: string): Promise<void> {
  const { exitCode, stderr } = await run('systemctl', ['restart', unit], RESTART_MS)
  if (exitCode === 0) return
  const why = stderr.trim() === '' ? `systemctl exited with ${exitCode ?? 'a signal'}` : stderr.trim()
  throw new AgentError('kubelet-failed', `cannot restart ${unit}: ${why}`, { fix: `journalctl -u ${unit}` })
}

/** Properties of the unit by name; none where systemd is not there. */
async function show(unit: string): Promise<Partial<Record<string, string>>> {
  const state = 'LoadState,ActiveState,ExecStart,MainPID,ExecMainStartTimestampMonotonic'
  const names = `${state},FragmentPath,DropInPaths,EnvironmentFiles`
  const shown = (await printed(['systemctl', 'show', `--property=${names}`, unit])) ?? ''
  const found = shown.matchAll(/^(\w+)=(.*)$/gm)
  // a list such as EnvironmentFiles has a line for each
  const lines = Map.groupBy(found, ([, name = '']) => name)
  return Object.fromEntries(
    [...lines].map(([name, all]) => [name, all.map(([, , value]) => value).join('\n')]),
  )
}

async function printed([program = '', ...args]: string[]): Promise<string | null> {
  try {
    const { exitCode, stdout } = await run(program, args, ASK_MS)
    return exitCode === null ? null : stdout.trim()
  } catch (error) {
    if (error instanceof AgentError && error.code === 'no-descriptors') throw error
    return null
  }
}

async function run(program: string, args: string[], timeoutMs: number) {
  try {
    return await runProgram(program, args, timeoutMs)
  } catch (error) {
    throw cannotStart('kubelet-failed', program, error as Error)
  }
}
