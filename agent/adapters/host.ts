import { x } from 'tinyexec'
import type { Host } from '../ports/host.ts'

/** The host's service manager, by systemctl, and its programs; a host without systemctl has no units. */
export function createHost(): Host {
  return { unitRunning, programVersion }
}

async function unitRunning(container: string): Promise<string | null> {
  const argv = ['show', '--type=service', '--state=active,activating', '--property=Id,ExecStart', '*']
  const shown = await systemctl(argv)
  for (const block of shown.split('\n\n')) {
    const unit = /^Id=(.+)$/m.exec(block)?.[1]
    if (unit !== undefined && startsContainer(block, container)) return unit
  }
  return null
}

/** Whether an `ExecStart=` property as systemctl shows it runs `docker run` or `docker start` for the container. */
function startsContainer(block: string, container: string): boolean {
  return [...block.matchAll(/argv\[\]=([^;]*)/g)].some(([, argv = '']) => {
    const words = argv.replaceAll('=', ' ').replaceAll(/["']/g, '').split(/\s+/)
    const docker = words.findIndex((word) => /(^|\/)docker$/.test(word))
    return (
      docker >= 0 &&
      words.slice(docker).some((word) => word === 'run' || word === 'start') &&
      words.includes(container)
    )
  })
}

async function systemctl(argv: string[]): Promise<string> {
  try {
    return (await x('systemctl', argv, { timeout: 10_000 })).stdout
  } catch {
    return ''
  }
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
