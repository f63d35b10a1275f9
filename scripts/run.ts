import { spawnSync } from 'node:child_process'

interface RunOptions {
  /** On top of this process's own. */
  env?: Record<string, string>
  cwd?: string
}

/** A program's stdout; throws with all that it said when it fails. */
export function run(command: string, args: string[], { env, ...options }: RunOptions = {}): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    ...options,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    env: { ...process.env, ...env },
  })
  if (error) throw new Error(`cannot run ${command}: ${error.message}`, { cause: error })
  if (status !== 0)
    throw new Error(`cannot go on: ${command} ${args.join(' ')} exited ${String(status)}\n${stdout}${stderr}`)
  return stdout
}

/** The work of a script: what it cannot do is told without a stack, which only a fault of its own has. */
export async function runScript(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    console.error(error instanceof Error && error.message.startsWith('cannot ') ? error.message : error)
    process.exitCode = 1
  }
}
