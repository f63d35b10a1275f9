import { readdir } from 'node:fs/promises'
import { readRegularFile } from '../read-file.ts'

/** The kernel's limit of a command line is 2 MB (execve(2)). */
const MAX_BYTES = 2 * 1024 * 1024

/**
 * The unit in whose cgroup a `docker run` or `docker start` of the container is running, whatever script started it;
 * null if there is none.
 */
export async function unitOfClient(container: string, proc = '/proc'): Promise<string | null> {
  for await (const { pid, words } of commandLines(proc)) {
    if (!isClientOf(words, container)) continue
    const unit = /\/([^/\n]+\.service)$/m.exec(await text(`${proc}/${pid}/cgroup`))?.[1]
    if (unit !== undefined) return unit
  }
  return null
}

/** Whether a process runs this command. */
export async function hasClient(argv: string[], proc = '/proc'): Promise<boolean> {
  for await (const { words } of commandLines(proc)) if (words.join(' ').trim() === argv.join(' ')) return true
  return false
}

async function* commandLines(proc: string): AsyncGenerator<{ pid: string; words: string[] }> {
  for (const pid of await readdir(proc)) {
    if (!/^\d+$/.test(pid)) continue
    // a process may end while it is looked at
    yield { pid, words: (await text(`${proc}/${pid}/cmdline`)).split('\0') }
  }
}

function isClientOf(words: string[], container: string): boolean {
  const [program = '', ...rest] = words
  return (
    /(^|\/)(docker|podman)$/.test(program) &&
    rest.some((word) => word === 'run' || word === 'start') &&
    rest.some((word) => word === container || word === `--name=${container}`)
  )
}

async function text(path: string): Promise<string> {
  const bytes = await readRegularFile(path, { maxBytes: MAX_BYTES }).catch(() => undefined)
  return bytes?.toString() ?? ''
}
