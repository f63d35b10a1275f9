import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { constants } from 'node:os'
import type { Readable, Writable } from 'node:stream'

export type ExecResult = { code: number; stdout: string; stderr: string }

export type ExecOptions = {
  input?: string | Buffer
  env?: Record<string, string>
  /** After this long the program is killed: code 137. */
  timeoutMs?: number
  /** An abort kills the program as well. */
  signal?: AbortSignal
  onStdout?: (chunk: string) => void
}

export type Child = ChildProcessByStdio<Writable, Readable, Readable>

/** Runs a program to its end. A non-zero exit is a result, not an exception; a missing program throws. */
async function exec(argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
  const child = launch(argv, options)
  const result = collect(child, options.onStdout)
  return await finish(child, result, options, () => child.kill('SIGKILL'))
}

/** As `exec`, but a non-zero exit throws with what the program said. Resolves to stdout. */
export async function execOk(argv: readonly string[], options: ExecOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await exec(argv, options)
  if (code !== 0) {
    throw new Error(`cannot run ${argv.join(' ')}: exit ${code}: ${stderr.trim() || stdout.trim()}`)
  }
  return stdout
}

export function launch(argv: readonly string[], options: ExecOptions = {}): Child {
  const [program, ...args] = argv
  if (program === undefined) throw new Error('internal error: empty argv')
  return spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], env: options.env ?? process.env })
}

/** Feeds a program its input and ends it by `kill` when its time is up. */
export async function finish(
  child: Child,
  result: Promise<ExecResult>,
  { input, timeoutMs, signal }: ExecOptions,
  kill: () => unknown,
): Promise<ExecResult> {
  child.stdin.on('error', () => undefined) // the program may end without reading its input
  child.stdin.end(input)
  const stop = (): void => {
    kill()
    // Its children may hold the pipes open for as long as they live: their output is not waited for.
    setTimeout(() => [child.stdout, child.stderr].map((stream) => stream.destroy()), 500).unref()
  }
  const timer = timeoutMs === undefined ? undefined : setTimeout(stop, timeoutMs)
  if (signal?.aborted) stop()
  signal?.addEventListener('abort', stop)
  try {
    return await result
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', stop)
  }
}

/** Everything a child says until it ends; a signal counts as 128 + its number, as in a shell. */
export function collect(child: Child, onStdout?: (chunk: string) => void): Promise<ExecResult> {
  const out: string[] = []
  const err: string[] = []
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    out.push(chunk)
    onStdout?.(chunk)
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => err.push(chunk))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      const number = code ?? 128 + (signal === null ? 0 : constants.signals[signal])
      resolve({ code: number, stdout: out.join(''), stderr: err.join('') })
    })
  })
}
