import { execFile, spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll } from 'vitest'
import { type FakeEngine, startFakeEngine } from '../adapters/docker/fake-engine.ts'
import { FakeDocker } from '../fakes/docker.ts'
import { answersOf } from './wire.ts'

const node = fileURLToPath(new URL('../../node_modules/.bin/node', import.meta.url))
const build = fileURLToPath(new URL('../../scripts/build.ts', import.meta.url))
const out = mkdtempSync(join(tmpdir(), 'calico-agent-bundle-'))
const main = join(out, 'agent.cjs')

// as it is shipped; from its sources each start takes four times as much of a CPU
beforeAll(async () => {
  await promisify(execFile)(node, [build, '--bundle-only', '--out', out])
})
afterAll(() => rm(out, { recursive: true }))

export const OLD = 'quay.io/calico/node:v2.6.5'
export const NEW = 'quay.io/calico/node:v2.6.12'

/** A calico/node without BIRD on an Engine in memory, and the agent as a program of its own that upgrades it. */
export interface ProgramWorld {
  docker: FakeDocker
  engine: FakeEngine
  /** Begins the agent; `wrapped` is a program that runs it. */
  argv(...words: string[]): string[]
  env: NodeJS.ProcessEnv
}

export async function startProgramWorld(env: string[] = [], settle = 1): Promise<ProgramWorld> {
  const [docker, engine] = [new FakeDocker(), await startFakeEngine()]
  engine.otherwise(answersOf(docker))
  for (const ref of [OLD, NEW]) docker.images.publish(ref)
  docker.images.pull(OLD, () => undefined)
  const id = await docker.createContainer('calico-node', {
    Image: OLD,
    // no datastore: a node of v2 has one of its own by default, which is not here
    Env: ['CALICO_NETWORKING_BACKEND=none', 'DATASTORE_TYPE=none', 'NODENAME=host-1', ...env],
    HostConfig: { NetworkMode: 'host', Privileged: true, RestartPolicy: { Name: 'always' } },
  })
  await docker.startContainer(id)
  const config = join(engine.directory, 'agent.yaml')
  await writeFile(config, JSON.stringify({ docker: { socket: engine.socket }, settle }))
  // this machine's routes and units are none of theirs
  const stubs = join(engine.directory, 'bin')
  await mkdir(stubs)
  for (const [name, code] of [
    ['ip', 0],
    ['systemctl', 1],
  ] as const) {
    await writeFile(join(stubs, name), `#!/bin/sh\nexit ${code}\n`)
    await chmod(join(stubs, name), 0o755)
  }
  const state = join(engine.directory, 'state')
  return {
    docker,
    engine,
    argv: (...words) => [node, main, ...words, '--config', config, '--state-dir', state],
    env: { ...process.env, PATH: `${stubs}:${process.env['PATH'] ?? ''}` },
  }
}

export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

export interface Running {
  kill(signal: NodeJS.Signals): void
  ended: Promise<Ended>
}

/** No test runner keeps its event loop alive. */
export function start(argv: string[], env: NodeJS.ProcessEnv): Running {
  const [command = '', ...args] = argv
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      resolve({ code, stdout, stderr })
    })
  })
  return { kill: (signal) => child.kill(signal), ended }
}
