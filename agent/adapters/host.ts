import { x } from 'tinyexec'
import type { Host } from '../ports/host.ts'

export function createHost(): Host {
  return { programVersion }
}

/** A plugin that does not know `-v` waits for a config on stdin, of which it gets none. */
async function programVersion(path: string): Promise<string | null> {
  try {
    const { stdout, exitCode } = await x(path, ['-v'], {
      timeout: 2_000,
      nodeOptions: { stdio: ['ignore', 'pipe', 'ignore'] },
    })
    return exitCode === 0 ? stdout.trim() : null
  } catch {
    return null
  }
}
