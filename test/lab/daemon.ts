import { spawn } from 'node:child_process'
import { open, readFile } from 'node:fs/promises'
import { ensureDir, readJson, writeJson } from 'fs-extra/esm'
import { daemonCgroup } from './cgroup.ts'
import { hang } from './hang.ts'
import { labNamespace, labPath } from './paths.ts'
import { until } from './poll.ts'

/**
 * Starts a long-running program in the lab's cgroup and network namespace. It outlives this process; what it says
 * goes to log/NAME.log.
 */
export async function startDaemon(name: string, argv: readonly string[]): Promise<void> {
  await ensureDir(labPath('log'))
  const log = await open(labPath('log', `${name}.log`), 'a')
  // The shell joins the cgroup before it becomes the program, so that no child can escape.
  const join = 'echo $$ > "$0" && exec "$@"'
  const inNamespace = ['nsenter', `--net=${labNamespace}`, ...argv]
  const child = spawn('sh', ['-c', join, await daemonCgroup(), ...inNamespace], {
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    cwd: '/',
  })
  await log.close()
  const { pid } = child
  if (pid === undefined) throw new Error(`cannot start ${name}: no process`)
  child.unref()
  await writeJson(pidFile(name), { pid, startTime: await startTime(pid) })
}

/** True while the process that `startDaemon` started lives: a pid alone may have been reused. */
export async function daemonAlive(name: string): Promise<boolean> {
  try {
    const { pid, startTime: recorded } = (await readJson(pidFile(name))) as Identity
    return recorded === (await startTime(pid))
  } catch {
    return false
  }
}

/** One that does not live is no error. */
export async function signalDaemon(name: string, signal: NodeJS.Signals): Promise<void> {
  if (!(await daemonAlive(name))) return
  const { pid } = (await readJson(pidFile(name))) as Identity
  if (signal === 'SIGSTOP') await hang(pid)
  else process.kill(pid, signal)
}

/** Ends it as a crash would. */
export async function killDaemon(name: string): Promise<void> {
  await signalDaemon(name, 'SIGKILL')
  await until(`the end of ${name}`, async () => !(await daemonAlive(name)), { everyMs: 20 })
}

/** Waits until a started daemon serves. Throws with the end of its log when it does not, at once when it ends. */
export async function untilDaemonReady(name: string, ready: () => Promise<boolean>): Promise<void> {
  const seen = { ready: false }
  const decided = async (): Promise<boolean> => {
    seen.ready = await ready()
    return seen.ready || !(await daemonAlive(name))
  }
  await until(name, decided, { everyMs: 50 }).catch(() => undefined)
  if (seen.ready) return
  const text = await readFile(labPath('log', `${name}.log`), 'utf8').catch(() => '')
  throw new Error(`cannot start ${name}: it says:\n${text.split('\n').slice(-15).join('\n')}`)
}

type Identity = { pid: number; startTime: string }

const pidFile = (name: string): string => labPath('log', `${name}.pid.json`)

/** Field 22 of /proc/PID/stat; the command name before it may hold spaces and ends with the last ")". */
async function startTime(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const afterName = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return afterName[19] ?? ''
}
