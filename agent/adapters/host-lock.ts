import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { AgentError, ExitCode } from '../core/errors.ts'
import type { LockHolder } from '../core/status-report.ts'
import { cannotStart } from './program-error.ts'

const { O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = constants

export interface HostLock {
  release(): void
}

/** Exit code of flock(1) when somebody else holds the lock. */
const CONFLICT = 75
/** Longer than a look at the lock takes on a host under load. */
const LOOK_SECONDS = '1'

/**
 * Makes this process the only agent on the host until it releases the lock or dies, however it dies. The lock is
 * flock(2) on the open file description, which flock(1) takes on our inherited descriptor and which stays with us.
 * The file is never removed: two agents could then hold two locks.
 * @throws AgentError `locked` (exit code 75) that names the holder
 */
export async function acquireHostLock(stateDir: string, command: string): Promise<HostLock> {
  const path = join(stateDir, 'lock')
  // a plain number, as a FileHandle would be closed, and the lock lost, when it is collected as garbage
  const fd = openLockFile(path, O_RDWR | O_CREAT)
  try {
    fchmodSync(fd, 0o600)
    if (!(await takeLock(fd, path))) throw locked(path, readFileSync(fd, 'utf8'))
    writeHolder(fd, command)
  } catch (error) {
    closeSync(fd)
    throw error
  }
  return {
    release: () => {
      closeSync(fd)
    },
  }
}

/**
 * The agent that is at work on this host; null where none is. What the file says is old where nobody holds the lock.
 * @throws AgentError `lock-unusable`
 */
export async function hostLockHolder(stateDir: string): Promise<LockHolder | null> {
  const path = join(stateDir, 'lock')
  if (!existsSync(path)) return null
  const fd = openLockFile(path, O_RDONLY)
  try {
    if (await flock(fd, path, ['-n', '-s'])) return null
    const [, pid, command] = /^pid (\d+), agent (.+)$/m.exec(readFileSync(fd, 'utf8')) ?? []
    return command === undefined ? null : { pid: Number(pid), command }
  } finally {
    closeSync(fd)
  }
}

/** Who looks at the lock shares it for a moment, an agent does not: a look is waited for, an agent is not. */
async function takeLock(fd: number, path: string): Promise<boolean> {
  if (await flock(fd, path, ['-n'])) return true
  return (await flock(fd, path, ['-n', '-s'])) && (await flock(fd, path, ['-w', LOOK_SECONDS]))
}

/** Nobody waits at the other end of a FIFO. */
function openLockFile(path: string, flags: number): number {
  let fd: number | undefined
  try {
    fd = openSync(path, flags | O_NOFOLLOW | O_NONBLOCK, 0o600)
    if (!fstatSync(fd).isFile()) throw new Error('it is not a regular file')
    return fd
  } catch (error) {
    if (fd !== undefined) closeSync(fd)
    throw unlockable(path, (error as Error).message, error)
  }
}

/**
 * Whether the lock could be had. Node opens files close-on-exec: no other child inherits the descriptor, this one as
 * its number 3.
 */
async function flock(fd: number, path: string, how: string[]): Promise<boolean> {
  const exitCode = await exitCodeOf('flock', [...how, '-E', String(CONFLICT), '3'], fd).catch(
    (error: unknown) => {
      throw cannotStart('lock-unusable', 'flock', error as Error)
    },
  )
  if (exitCode !== 0 && exitCode !== CONFLICT) throw unlockable(path, `flock exits ${String(exitCode)}`)
  return exitCode === 0
}

async function exitCodeOf(program: string, argv: string[], fd: number): Promise<number | null> {
  const child: ChildProcess = spawn(program, argv, { stdio: ['ignore', 'ignore', 'ignore', fd] })
  const [exitCode] = (await once(child, 'exit')) as [number | null]
  return exitCode
}

/** For people only: the lock itself is the kernel's, so no sync is needed. */
function writeHolder(fd: number, command: string): void {
  // cut to its length last: whoever reads meanwhile finds a name
  const text = `pid ${process.pid}, agent ${command}\n`
  writeSync(fd, text, 0)
  ftruncateSync(fd, text.length)
}

function locked(path: string, text: string): AgentError {
  const [line = ''] = text.split('\n')
  const holder = line === '' ? 'another agent' : line
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
