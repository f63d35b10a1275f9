import { spawnSync } from 'node:child_process'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { remove } from 'fs-extra/esm'
import type { Host } from '../../test/lab/index.ts'
import { alternate, type Part } from './part.ts'

const agent = join(import.meta.dirname, '../../dist/agent')

export const start: Part = {
  name: 'start',
  title: 'start time of the agent',
  how: `Wall time of three programs, run on this machine: \`dist/agent --version\`, \`dist/agent status --json\` (its config
names the Docker and BIRD sockets of a host of the lab), and the pinned Node with nothing to do, \`node -e 0\`.`,
  meaning:
    'What is above 1 is the time to load and run the agent, in addition to the start of Node itself. `status` also queries Docker and BIRD.',
  ratios: [
    { key: 'versionVsNode', of: 'version', to: 'node' },
    { key: 'statusVsNode', of: 'status', to: 'node' },
  ],
  async measure({ mesh, host, rounds }) {
    await mesh.reset()
    const dir = await mkdtemp(join(tmpdir(), 'bench-'))
    try {
      const config = await writeConfig(dir, host)
      const status = ['status', '--json', '--config', config, '--state-dir', dir]
      return await alternate('start', rounds, {
        version: wallTime(agent, ['--version'], /^\d+\.\d+\.\d+/),
        status: wallTime(agent, status, /"state":"running"/),
        node: wallTime(process.execPath, ['-e', '0'], /^$/),
      })
    } finally {
      await remove(dir)
    }
  },
}

async function writeConfig(dir: string, host: Host): Promise<string> {
  const path = join(dir, 'agent.yaml')
  const docker = { socket: join(host.root, 'run/docker.sock') }
  await writeFile(path, JSON.stringify({ docker, bird: { sockets: [host.birdSocketPath()] } }))
  return path
}

/** A run before the first round brings the program into the page cache. */
function wallTime(program: string, args: string[], says: RegExp): () => Promise<number> {
  const run = (): number => {
    const begin = performance.now()
    const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' })
    const ms = performance.now() - begin
    if (status !== 0 || !says.test(stdout))
      throw new Error(
        `cannot measure ${program} ${args.join(' ')}: exit ${String(status)}: ${stdout}${stderr}`,
      )
    return ms
  }
  run()
  return () => Promise.resolve(run())
}
