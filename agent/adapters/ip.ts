import { spawn } from 'node:child_process'
import { once } from 'node:events'

export interface IpRun {
  /** Null where it could not be started, or was killed. */
  code: number | null
  output: string
  errors: string
}

const DEADLINE_MS = 5_000

/** Runs iproute2's `ip`, without a shell. */
export async function runIp(argv: readonly string[], input = ''): Promise<IpRun> {
  const child = spawn('ip', argv, { timeout: DEADLINE_MS })
  let [output, errors] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const closed = once(child, 'close') as Promise<[number | null]>
  const [code] = await closed.catch((error: unknown): [null] => {
    errors += error instanceof Error ? error.message : String(error)
    return [null]
  })
  return { code, output, errors }
}
