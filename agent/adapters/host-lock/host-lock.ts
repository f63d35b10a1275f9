import { closeSync, constants, existsSync, fchmodSync, mkdirSync, openSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { LockHolder } from '../../core/report/status.ts'
import { isTaken, locked, openLockFile, readHolder, takeLock, writeHolder } from './lock-file.ts'

const { O_CREAT, O_DIRECTORY, O_RDONLY, O_RDWR } = constants

export interface HostLock {
  release(): void
}

/**
 * The directory of BIRD's sockets: agents with other state directories see it, and one that runs as an image. It is the
 * directory that is locked, not a file in it: that works where /run is full, or read-only for a service.
 */
const SHARED = { directory: '/var/run/calico', holder: '/run/calico-agent/lock-holder' }

interface Shared {
  directory: string
  /** The file that has its holder's name. */
  holder: string
}

/**
 * Makes this process the only agent on the host until it releases the lock or dies, however it dies. The files are never
 * removed: two agents could then hold two locks.
 * @throws AgentError `locked` (exit code 75) that names the holder
 */
export async function acquireHostLock(
  stateDir: string,
  command: string,
  sharedBy: Shared = SHARED,
): Promise<HostLock> {
  const own = await acquireOwn(join(stateDir, 'lock'), command)
  try {
    const shared = await acquireShared(sharedBy, `${command} --state-dir ${stateDir}`)
    return {
      release: () => {
        for (const fd of [...shared, own]) closeSync(fd)
      },
    }
  } catch (error) {
    closeSync(own)
    throw error
  }
}

/** Returns a plain number: a FileHandle would be closed, and the lock lost, when it is collected as garbage. */
async function acquireOwn(path: string, command: string): Promise<number> {
  const fd = openLockFile(path, O_RDWR | O_CREAT)
  try {
    fchmodSync(fd, 0o600)
    if (!(await takeLock(fd, path))) throw locked(path, readHolder(fd))
    writeHolder(fd, command)
    return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/** No descriptor where the directory is not there: then no calico/node has run here since the boot. */
async function acquireShared({ directory, holder }: Shared, command: string): Promise<number[]> {
  const fd = openDirectory(directory)
  if (fd === null) return []
  try {
    if (!(await takeLock(fd, directory))) throw locked(directory, nameIn(holder))
    leaveName(holder, command)
    return [fd]
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/**
 * The agent that is at work on this host; null where none is. What the file says is old where nobody holds the lock.
 * @throws AgentError `lock-unusable`
 */
export async function hostLockHolder(
  stateDir: string,
  sharedBy: Shared = SHARED,
): Promise<LockHolder | null> {
  return (await ownHolder(join(stateDir, 'lock'))) ?? (await sharedHolder(sharedBy))
}

async function ownHolder(path: string): Promise<LockHolder | null> {
  if (!existsSync(path)) return null
  const fd = openLockFile(path, O_RDONLY)
  try {
    return (await isTaken(fd, path)) ? readHolder(fd) : null
  } finally {
    closeSync(fd)
  }
}

async function sharedHolder({ directory, holder }: Shared): Promise<LockHolder | null> {
  const fd = openDirectory(directory)
  if (fd === null) return null
  try {
    return (await isTaken(fd, directory)) ? nameIn(holder) : null
  } finally {
    closeSync(fd)
  }
}

function openDirectory(path: string): number | null {
  try {
    return openSync(path, O_RDONLY | O_DIRECTORY)
  } catch {
    return null
  }
}

/** Where it cannot be written, it stays unsaid. */
function leaveName(file: string, command: string): void {
  withHolderFile(file, O_RDWR | O_CREAT, (fd) => {
    writeHolder(fd, command)
  })
}

function nameIn(file: string): LockHolder | null {
  return withHolderFile(file, O_RDONLY, readHolder) ?? null
}

function withHolderFile<T>(file: string, flags: number, use: (fd: number) => T): T | undefined {
  let fd: number | undefined
  try {
    if ((flags & O_CREAT) !== 0) mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    fd = openLockFile(file, flags)
    return use(fd)
  } catch {
    return undefined
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}
