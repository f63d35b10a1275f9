import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { AgentError, ExitCode } from '../core/errors.ts'

const { O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDWR } = constants

/** Told to whoever finds the host locked. */
export interface LockHolder {
  command: string
  /** Unknown until the run is named. */
  run?: string
}

export interface HostLock {
  /** Says in the lock file what the holder does now. */
  describe(holder: LockHolder): void
  release(): void
}

/** Exit code of `flock -n` when somebody else holds the lock. */
const CONFLICT = 75

/**
 * Makes this process the only agent on the host until it releases the lock or dies, however it dies. The lock is
 * flock(2) on the open file description, which flock(1) takes on our inherited descriptor and which stays with us.
 * The file is never removed: two agents could then hold two locks.
 * @throws AgentError `locked` (exit code 75) that names the holder
 */
export async function acquireHostLock(stateDir: string, holder: LockHolder): Promise<HostLock> {
  const path = join(stateDir, 'lock')
  // a plain number, as a FileHandle would be closed, and the lock lost, when it is collected as garbage
  const fd = openLockFile(path)
  try {
    const exitCode = await flock(fd)
    if (exitCode === CONFLICT) throw locked(path, readFileSync(fd, 'utf8'))
    if (exitCode !== 0) throw unlockable(path, `flock exits ${String(exitCode)}`)
  } catch (error) {
    closeSync(fd)
    throw error
  }
  const lock: HostLock = {
    describe: (now) => {
      writeHolder(fd, now)
    },
    release: () => {
      closeSync(fd)
    },
  }
  lock.describe(holder)
  return lock
}

/** Nobody waits at the other end of a FIFO. */
function openLockFile(path: string): number {
  let fd: number | undefined
  try {
    fd = openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600)
    if (!fstatSync(fd).isFile()) throw new Error('it is not a regular file')
    fchmodSync(fd, 0o600)
    return fd
  } catch (error) {
    if (fd !== undefined) closeSync(fd)
    throw unlockable(path, (error as Error).message, error)
  }
}

/** Node opens files close-on-exec: no other child inherits the descriptor, this one as its number 3. */
async function flock(fd: number): Promise<number | null> {
  const child: ChildProcess = spawn('flock', ['-n', '-E', String(CONFLICT), '3'], {
    stdio: ['ignore', 'ignore', 'ignore', fd],
  })
  try {
    const [exitCode] = (await once(child, 'exit')) as [number | null]
    return exitCode
  } catch (error) {
    throw new AgentError('lock-unusable', `cannot run flock: ${(error as Error).message}`, {
      fix: 'install util-linux',
      cause: error,
    })
  }
}

/** For people only: the lock itself is the kernel's, so no sync is needed. */
function writeHolder(fd: number, { command, run }: LockHolder): void {
  ftruncateSync(fd, 0)
  writeSync(fd, `pid ${process.pid}, agent ${command}${run === undefined ? '' : `, run ${run}`}\n`, 0)
}

function locked(path: string, text: string): AgentError {
  const holder = text.trim() === '' ? 'another agent' : text.trim()
  return new AgentError('locked', `cannot start: this host is locked by ${holder}`, {
    fix: `wait until it is done and try again; fuser -v ${path} shows the process`,
    exitCode: ExitCode.deferred,
  })
}

function unlockable(path: string, reason: string, cause?: unknown): AgentError {
  return new AgentError('lock-unusable', `cannot lock ${path}: ${reason}`, {
    fix: `look at it with ls -l ${path}; where it is no regular file, remove it`,
    ...(cause === undefined ? {} : { cause }),
  })
}
