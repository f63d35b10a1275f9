/**
 * A command that prints `/proc/PID/fd/N` of each process that has the file or directory open. It needs findutils alone:
 * a minimal host has no fuser, and lslocks knows only the flock(1) that took the lock and has ended.
 */
export function openBy(path: string): string {
  return `find -L /proc/[0-9]*/fd -maxdepth 1 -samefile ${path}`
}
