import { mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished, vi } from 'vitest'
import { createFleet } from '../../agent/adapters/fleet/create-fleet.ts'
import { configSchema } from '../../agent/config/schema.ts'
import { wantedOf } from '../../agent/config/wanted.ts'
import { AgentError } from '../../agent/core/errors.ts'
import { createLogger } from '../../agent/report/logger.ts'
import { runDaemon } from '../../agent/service/daemon.ts'
import type { App } from '../../agent/stories/app.ts'
import { FakeClock } from '../fakes/clock.ts'
import { manualHost } from './facts.ts'

const unreachable = new AgentError('docker-unreachable', 'cannot reach Docker', { fix: 'start it' })

/** A member of etcd whose answers are lost on their way. */
async function silentMember(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  onTestFinished(() => void server.close())
  const { port } = server.address() as { port: number }
  return `http://127.0.0.1:${port}`
}

function get(socketPath: string, path: string, ms: number): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path, signal: AbortSignal.timeout(ms) }, (response) => {
      let text = ''
      response.on('data', (chunk) => (text += String(chunk)))
      response.on('end', () => {
        resolve(text)
      })
    })
      .on('error', reject)
      .end()
  })
}

it('tells everything else in time while no member of etcd answers', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'daemon-'))
  const socket = join(directory, 'agent.sock')
  const endpoints = await Promise.all([silentMember(), silentMember(), silentMember()])
  const config = configSchema.parse({ service: { socket }, fleet: { etcd: { endpoints } } })
  const host = () => Promise.reject(unreachable)
  const fleet = createFleet(
    { group: 'a', etcd: { endpoints } },
    { kubernetes: null, clock: new FakeClock(), host },
  )
  const app = {
    fleet,
    lock: () => Promise.reject(unreachable),
    get ports(): never {
      throw unreachable
    },
  } as unknown as App
  const stop = new AbortController()
  const { runs } = manualHost()
  const running = runDaemon({
    version: '0.1.0',
    configFile: join(directory, 'agent.yaml'),
    loadConfig: () => Promise.resolve(config),
    open: async () => {
      await sleep(2_500)
      return { app, wanted: wantedOf(config, []), end: () => undefined }
    },
    figures: () => (runs ? Promise.resolve(runs) : Promise.reject(unreachable)),
    log: createLogger({ level: 'silent', journald: false }),
    env: {},
    signal: stop.signal,
  })
  onTestFinished(async () => {
    stop.abort()
    await running
    await rm(directory, { recursive: true })
  })
  await vi.waitFor(async () => {
    expect(await get(socket, '/healthz', 10_000)).toBe('ok\n')
  }, 60_000)

  // what is away would be waited for some 15 s, one after the other
  const text = await get(socket, '/metrics', 12_000)
  expect(text).toContain('calico_agent_runs_total{outcome="upgraded"} 2')
  expect(text).toContain('calico_agent_host_seen 0')
  expect(text).not.toContain('calico_agent_fleet_halted')
})
