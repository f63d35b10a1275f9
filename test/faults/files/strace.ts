import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** One system call of a program on the files of a directory: the nth of its name. */
export interface SystemCall {
  name: string
  nth: number
  /** As strace writes it, with the paths of descriptors, and DIR for the directory. */
  text: string
}

/** What happens instead of the call: it is never made. */
export type Fault = 'signal=SIGKILL' | 'error=EIO' | 'error=ENOSPC'

export interface Ended {
  /** The exit code, or the signal that ended it. */
  by: number | NodeJS.Signals | null
  lines: string[]
  stderr: string
}

/**
 * The calls that a Node program makes on these files of the directory and on the directory itself, in their order.
 * Only they count: Node makes hundreds of others before it runs the program.
 */
export async function callsOf(argv: string[], dir: string, names: string[]): Promise<SystemCall[]> {
  const output = `${dir}.strace`
  const { by, stderr } = await strace(['-y', '-o', output, ...pathsOf(dir, names)], argv)
  if (by !== 0) throw new Error(`cannot trace ${argv.join(' ')}: ${stderr}`)
  const counts = new Map<string, number>()
  const lines = (await readFile(output, 'utf8')).trimEnd().split('\n')
  const matches = lines.map((line) => /^(\d+) +((\w+)\(.*)$/.exec(line)).filter((match) => match !== null)
  // strace counts the calls of each thread
  if (new Set(matches.map(([, thread]) => thread)).size > 1) throw new Error('two threads work on the files')
  return matches.map(([, , text = '', name = '']) => {
    const nth = (counts.get(name) ?? 0) + 1
    counts.set(name, nth)
    return { name, nth, text: text.replaceAll(dir, 'DIR') }
  })
}

/** Runs the program with that fault in place of that call. */
export async function runWithFault(
  argv: string[],
  dir: string,
  names: string[],
  { name, nth }: SystemCall,
  fault: Fault,
): Promise<Ended> {
  const inject = ['-e', `trace=${name}`, '-e', `inject=${name}:${fault}:when=${nth}`]
  return await strace(['-o', '/dev/null', ...inject, ...pathsOf(dir, names)], argv)
}

function pathsOf(dir: string, names: string[]): string[] {
  return [dir, ...names.map((name) => join(dir, name))].flatMap((path) => ['-P', path])
}

function strace(options: string[], argv: string[]): Promise<Ended> {
  const args = ['-f', '-qq', ...options, process.execPath, ...argv]
  // one thread makes all calls on files: their order is always the same
  const env = { ...process.env, UV_THREADPOOL_SIZE: '1' }
  return new Promise((resolve, reject) => {
    const child = execFile('strace', args, { env, timeout: 60_000 }, (error, stdout, stderr) => {
      if (typeof error?.code === 'string') {
        reject(new Error('cannot run strace', { cause: error }))
        return
      }
      resolve({ by: child.exitCode ?? child.signalCode, lines: stdout.trimEnd().split('\n'), stderr })
    })
  })
}
