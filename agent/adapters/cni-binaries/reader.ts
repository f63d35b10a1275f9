import { readFileSync, readlinkSync } from 'node:fs'

/** Longer than a read may take: what is older was left behind. */
const MAX_AGE_MS = 10 * 60_000

/**
 * Names this process so that another agent can tell whether it is still at work: its pid namespace, its pid and when it was
 * started, and when it began to read. Two agents that run as containers are both pid 1.
 */
export function readerName(now: number): string {
  return [ownNamespace(), process.pid, startOf(process.pid) ?? 0, now].join('/')
}

/** In another namespace no process can be looked for: there the time decides. */
export function isAtWork(name: string, now: number): boolean {
  const [namespace, pid, start, began = ''] = name.split('/')
  if (namespace === ownNamespace()) return startOf(Number(pid)) === start
  return Math.abs(now - Number(began)) < MAX_AGE_MS
}

function ownNamespace(): string {
  return readlinkSync('/proc/self/ns/pid').replaceAll(/\D/g, '')
}

/** In ticks since the boot, field 22 of proc_pid_stat(5); undefined where there is no such process. */
function startOf(pid: number): string | undefined {
  try {
    // the second field, a name in brackets, may hold blanks
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[19]
  } catch {
    return undefined
  }
}
