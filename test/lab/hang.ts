import { readdir, readFile } from 'node:fs/promises'
import { until } from './poll.ts'

/** Has a process hang until SIGCONT. When SIGSTOP is sent, threads on another core still go on. */
export async function hang(pid: number | undefined): Promise<void> {
  // 0 would be this process and its group
  if (!pid) throw new Error('cannot stop a process that did not start')
  process.kill(pid, 'SIGSTOP')
  const isStopped = async (): Promise<boolean> => (await threadStates(pid)).every((state) => state === 'T')
  await until(`pid ${pid} to stop`, isStopped, { everyMs: 1 })
}

/** The state of each thread, as proc(5) has it: behind the name, which may have anything. */
async function threadStates(pid: number): Promise<string[]> {
  const threads = await readdir(`/proc/${pid}/task`)
  const lines = await Promise.all(threads.map((id) => readFile(`/proc/${pid}/task/${id}/stat`, 'utf8')))
  return lines.map((line) => line.slice(line.lastIndexOf(')') + 2).charAt(0))
}
