import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import { AgentError, ExitCode } from '../../core/errors.ts'
import { openBy } from '../../core/open-by.ts'
import type { LockHolder } from '../../core/report/status.ts'
import { cannotStart } from '../program-error.ts'

const { O_NOFOLLOW, O_NONBLOCK } = constants

/** Exit code of flock(1) when somebody else holds the lock. */
const CONFLICT = 75
/** Longer than a look at the lock takes on a host under load. */
const LOOK_SECONDS = '1'

/**
 * Whether the lock could be had. It is flock(2) on the open file description, which flock(1) takes on our inherited
 * descriptor and which stays with us. Who looks at the lock shares it for a moment, an agent does not: a look is waited
 * for, an agent is not.
 */
export async function takeLock(fd: number, path: string): Promise<boolean> {
  if (await flock(fd, path, ['-n'])) return true
  return (await flock(fd, path, ['-n', '-s'])) && (await flock(fd, path, ['-w', LOOK_SECONDS]))
}

export async function isTaken(fd: number, path: string): Promise<boolean> {
  return !(await flock(fd, path, ['-n', '-s']))
}

/** Nobody waits at the other end of a FIFO. */
export function openLockFile(path: string, flags: number): number {
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
  if (exitCode !== 0 && exitCode !== CONFLICT)
    throw unlockable(path, `flock exited with code ${String(exitCode)}`)
  return exitCode === 0
}

async function exitCodeOf(program: string, argv: string[], fd: number): Promise<number | null> {
  const child: ChildProcess = spawn(program, argv, { stdio: ['ignore', 'ignore', 'ignore', fd] })
  const [exitCode] = (await once(child, 'exit')) as [number | null]
  return exitCode
}

/** For people only: the lock itself is the kernel's, so no sync is needed. */
export function writeHolder(fd: number, command: string): void {
  // cut to its length last: whoever reads meanwhile finds a name
  const text = `pid ${process.pid}, calico-agent ${command}\n`
  writeSync(fd, text, 0)
  ftruncateSync(fd, text.length)
}

/** Who wrote its name there last, 0.1.0 as `agent`; null where nobody did. */
export function readHolder(fd: number): LockHolder | null {
  const head = Buffer.alloc(4096)
  const text = head.toString('utf8', 0, readSync(fd, head, { position: 0 }))
  const [, pid, command] = /^pid (\d+), (?:calico-)?agent (.+)$/m.exec(text) ?? []
  return command === undefined ? null : { pid: Number(pid), command }
}

export function locked(path: string, holder: LockHolder | null): AgentError {
  const who = holder === null ? 'another agent' : `pid ${holder.pid}, calico-agent ${holder.command}`
  return new AgentError('locked', `cannot start: this host is locked by ${who}`, {
    fix: `wait until it has finished, and try again; ${openBy(path)} shows the process`,
    exitCode: ExitCode.deferred,
  })
}

function unlockable(path: string, reason: string, cause?: unknown): AgentError {
  return new AgentError('lock-unusable', `cannot lock ${path}: ${reason}`, {
    fix: `check it with ls -l ${path}; if it is not a regular file, remove it`,
    ...(cause === undefined ? {} : { cause }),
  })
}
