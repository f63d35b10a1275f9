import { realpath, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { execStartArguments, type KubeletFacts, manifestFlags, versionCommand } from '../core/cni/kubelet.ts'
import { cniFlags, type KubeletDirectory } from '../core/cni/kubelet-directories.ts'
import { AgentError } from '../core/errors.ts'
import type { Kubelet } from '../ports/kubelet.ts'
import { cannotStart } from './program-error.ts'
import { readText } from './read-file.ts'
import { runProgram } from './run-program.ts'

const ASK_MS = 10_000
/** systemd's own limit for a start is 90 s. */
const RESTART_MS = 120_000
/** Of its config, and of its command line. */
const MAX_BYTES = 1024 * 1024
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

/** Of what runs the variables are filled in. */
async function argumentsOf(unit: string): Promise<string[]> {
  const { ExecStart = '', MainPID = '0' } = await show(unit)
  const running = MainPID === '0' ? undefined : await textOf(`/proc/${MainPID}/cmdline`)
  return running?.split('\0').filter((word) => word !== '') ?? execStartArguments(ExecStart)
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
  const why = stderr.trim() === '' ? `systemctl ended with ${exitCode ?? 'a signal'}` : stderr.trim()
  throw new AgentError('kubelet-failed', `cannot restart ${unit}: ${why}`, { fix: `journalctl -u ${unit}` })
}

/** Properties of the unit by name; none where systemd is not there. */
async function show(unit: string): Promise<Partial<Record<string, string>>> {
  const names = 'LoadState,ActiveState,ExecStart,MainPID,ExecMainStartTimestampMonotonic'
  const shown = (await printed(['systemctl', 'show', `--property=${names}`, unit])) ?? ''
  const found = shown.matchAll(/^(\w+)=(.*)$/gm)
  return Object.fromEntries([...found].map(([, name = '', value = '']): [string, string] => [name, value]))
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
