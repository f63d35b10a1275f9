import { spawnSync } from 'node:child_process'

/** A program's stdout; throws with all that it said when it fails. */
export function run(command: string, args: string[], env: Record<string, string> = {}): string {
  const options = { encoding: 'utf8', maxBuffer: 2 ** 26, env: { ...process.env, ...env } } as const
  const { status, stdout, stderr, error } = spawnSync(command, args, options)
  if (error) throw new Error(`cannot run ${command}`, { cause: error })
  if (status !== 0)
    throw new Error(`${command} ${args.join(' ')} exited ${String(status)}\n${stdout}${stderr}`)
  return stdout
}

export const compressions = ['xz', 'gzip', 'none'] as const
type Compression = (typeof compressions)[number]

export const isCompression = (word: string): word is Compression =>
  (compressions as readonly string[]).includes(word)

/** What is packed, and where to. */
export interface PackOptions {
  /** The project. */
  root: string
  out: string
  version: string
  compression: Compression
}
