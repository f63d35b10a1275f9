import { execFile } from 'node:child_process'

/** `ip` shows a route in 100 bytes. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024

interface Ended {
  /** Null where a signal ended it, that of the time-out included. */
  exitCode: number | null
  stdout: string
  stderr: string
}

type Failure = Error & { code?: string | number | null; killed?: boolean }

/**
 * Runs a program to its end, without a shell. Past the time it is killed, and nobody waits for what it started.
 * @throws NodeJS.ErrnoException where it was not started, see program-error.ts
 */
export function runProgram(program: string, args: string[], timeoutMs: number, input = ''): Promise<Ended> {
  const options = { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: MAX_OUTPUT_BYTES } as const
  return new Promise((resolve, reject) => {
    const end = (error: Failure | null, stdout: string, stderr: string): void => {
      if (error === null) resolve({ exitCode: 0, stdout, stderr })
      else if (error.killed === true)
        resolve({ exitCode: null, stdout, stderr: `it did not end within ${timeoutMs / 1000} s` })
      else if (typeof error.code === 'string') reject(error)
      else resolve({ exitCode: error.code ?? null, stdout, stderr })
    }
    const child = execFile(program, args, options, end)
    // it may end without reading
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
  })
}
