import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'

/** `ip` shows a route in 100 bytes. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024

interface Ended {
  /** Null where a signal ended it, that of the time-out included. */
  exitCode: number | null
  stdout: string
  stderr: string
}

export interface ProgramEnd extends Ended {
  signal: NodeJS.Signals | null
  /** Why it was ended: it took longer, or printed more, than it may. */
  cut: 'time' | 'output' | null
}

interface Limits {
  timeoutMs: number
  /** Of each stream. */
  maxBytes: number
  input?: string
  /** The agent's own where it is not given. */
  env?: NodeJS.ProcessEnv
}

/**
 * Runs a program to its end, without a shell. Past the time it is killed; `stderr` says so.
 * @throws NodeJS.ErrnoException where it was not started, see program-error.ts
 */
export async function runProgram(
  program: string,
  args: string[],
  timeoutMs: number,
  input = '',
): Promise<Ended> {
  const ended = await runBounded(program, args, { timeoutMs, maxBytes: MAX_OUTPUT_BYTES, input })
  const { exitCode, stdout, stderr, cut } = ended
  if (cut === null) return { exitCode, stdout, stderr }
  return { exitCode: null, stdout, stderr: whyCut(cut, timeoutMs) }
}

export function whyCut(cut: 'time' | 'output', timeoutMs: number): string {
  return cut === 'time' ? `it did not finish within ${timeoutMs / 1000} s` : 'it prints too much output'
}

/**
 * The same within limits of the caller's. It leads a process group of its own: what it started and left behind is killed
 * with it when it is past a limit, and a Ctrl-C is for the agent alone.
 * @throws NodeJS.ErrnoException where it was not started
 */
export function runBounded(program: string, args: string[], limits: Limits): Promise<ProgramEnd> {
  const { timeoutMs, maxBytes, input = '', env = process.env } = limits
  return new Promise((resolve, reject) => {
    const child: ChildProcess = spawn(program, args, { detached: true, stdio: 'pipe', env })
    const end = (how: Pick<ProgramEnd, 'exitCode' | 'signal' | 'cut'>): void => {
      clearTimeout(timer)
      resolve({ ...how, stdout: stdout(), stderr: stderr() })
    }
    // what cannot be killed is not waited for
    const cutOff = (cut: ProgramEnd['cut']): void => {
      killGroup(child)
      child.stdout?.destroy()
      child.stderr?.destroy()
      end({ exitCode: null, signal: null, cut })
    }
    const timer = setTimeout(cutOff, timeoutMs, 'time')
    const [stdout, stderr] = [child.stdout, child.stderr].map((stream) =>
      collect(stream, maxBytes, () => {
        cutOff('output')
      }),
    ) as [() => string, () => string]
    child.on('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    child.on('close', (exitCode, signal) => {
      end({ exitCode, signal, cut: null })
    })
    // it may end without reading
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
  })
}

/** There is no stream where the program could not be started. */
function collect(stream: Readable | null, maxBytes: number, tooMuch: () => void): () => string {
  const chunks: Buffer[] = []
  let total = 0
  stream?.on('data', (chunk: Buffer) => {
    total += chunk.length
    if (total <= maxBytes) chunks.push(chunk)
    else tooMuch()
  })
  return () => Buffer.concat(chunks).toString()
}

/** A group whose leader has ended is there as long as one of its members is. */
function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // all of it has ended
  }
}
