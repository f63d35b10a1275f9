import { existsSync } from 'node:fs'
import { readdir, readFile, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureDir, pathExists } from 'fs-extra/esm'
import { cgroupName } from './paths.ts'
import { until } from './poll.ts'

const base = '/sys/fs/cgroup'

export const isCgroupV2 = existsSync(join(base, 'cgroup.controllers'))

/**
 * Every process of the lab lives below this cgroup: the daemons are started in it, their children inherit it, and
 * both levels of engines put their containers there. So `down` finds all of them after any crash, and nothing else.
 */
const trackingRoot = isCgroupV2 ? join(base, cgroupName) : join(base, 'pids', cgroupName)

/** Where a daemon of the lab is put. A sibling of the containers: v2 allows processes in leaves only. */
export async function daemonCgroup(): Promise<string> {
  const path = join(trackingRoot, 'daemons')
  await ensureDir(path)
  return join(path, 'cgroup.procs')
}

export async function killAllOfLab(): Promise<void> {
  await until(
    'the processes of the lab to end',
    async () => {
      const pids = await processesBelow(trackingRoot)
      for (const pid of pids) kill(pid)
      return pids.length === 0
    },
    { everyMs: 50 },
  )
}

export async function removeCgroups(): Promise<void> {
  const hierarchies = isCgroupV2 ? [base] : await v1Hierarchies()
  for (const hierarchy of hierarchies) await removeTree(join(hierarchy, cgroupName))
}

async function processesBelow(path: string): Promise<number[]> {
  if (!(await pathExists(path))) return []
  const own = (await readFile(join(path, 'cgroup.procs'), 'utf8')).split('\n').filter(Boolean).map(Number)
  const below = await Promise.all((await childrenOf(path)).map(processesBelow))
  return [...own, ...below.flat()]
}

async function childrenOf(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => [])
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(path, entry.name))
}

async function removeTree(path: string): Promise<void> {
  if (!(await pathExists(path))) return
  for (const child of await childrenOf(path)) await removeTree(child)
  // A cgroup stays busy for a moment after its last process is gone.
  const removed = (): Promise<boolean> => rmdir(path).then(() => true)
  await until(`${path} to be empty`, removed, { everyMs: 20 })
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended by itself in between.
  }
}

/**
 * Where the machine has its v1 hierarchies. Hosts get each of them and not the directory around them: systemd remounts
 * that one read-only, which would be the machine's own.
 */
export async function v1Hierarchies(): Promise<string[]> {
  if (isCgroupV2) return []
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n')
  const paths = mounts.map((line) => line.split(' ')[4] ?? '').filter((path) => path.startsWith(`${base}/`))
  return [...new Set(paths)]
}
