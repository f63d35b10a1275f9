import { describe, expect, it } from 'vitest'
import { EngineError } from '../../agent/adapters/docker/errors.ts'
import { AgentError } from '../../agent/core/errors.ts'
import { FakeHost, type HostOptions } from './fake-host.ts'
import { UnitHost } from './unit-host.ts'

const DELAYS_MS = [1, 40, 700, 8_000]
const policies: [string, HostOptions][] = [
  ['--restart=always', {}],
  ['--restart=unless-stopped', { policy: 'unless-stopped' }],
  ['--rm', { policy: 'no', autoRemove: true }],
]
const cases = policies.flatMap(([name, options]) => DELAYS_MS.map((ms) => ({ name, options, ms })))

/** The run's move that is this call for the first time. */
async function moveOf(what: string, options: HostOptions): Promise<number> {
  const host = await FakeHost.create(options)
  let at = -1
  host.agent.onMove = (move, name) => {
    if (name === what && at < 0) at = move
  }
  await host.run()
  return at
}

describe('an agent that dies while Docker is at its kill', () => {
  it.each(cases)('leaves a whole host after its resume: $name, $ms ms', async ({ options, ms }) => {
    const host = await FakeHost.create(options)
    host.docker.killTakes = () => host.clock.sleep(ms)
    await host.run(undefined, { at: await moveOf('killContainer', options), before: false, asked: true })
    const outcome = await host.resume()
    await host.clock.sleep(60_000)
    expect(await host.flaws(outcome)).toEqual([])
  })
})

describe('an agent that dies while Docker is at its start of the new one', () => {
  it.each(cases)('never ends with two: $name, $ms ms', async ({ options, ms }) => {
    const host = await FakeHost.create(options)
    const late = host.docker.startTakes
    host.docker.startTakes = async () => {
      host.docker.startTakes = late
      await host.clock.sleep(ms)
    }
    await host.run(undefined, { at: await moveOf('startContainer', options), before: false, asked: true })
    const outcome = await host.resume()
    await host.clock.sleep(60_000)
    expect(await host.flaws(outcome)).toEqual([])
  })
})

describe('an Engine that does not answer the start and carries it out', () => {
  it.each(cases)('never ends with two: $name, $ms ms', async ({ options, ms }) => {
    const host = await FakeHost.create(options)
    const start = host.docker.startContainer.bind(host.docker)
    host.docker.startContainer = (id) => {
      host.docker.startContainer = start
      void host.clock.sleep(ms).then(() => start(id).catch(() => undefined))
      return Promise.reject(new AgentError('docker-timeout', 'cannot start: no answer', { fix: 'wait' }))
    }
    const outcome = await host.run()
    await host.clock.sleep(60_000)
    expect(await host.flaws(outcome)).toEqual([])
  })
})

describe('an agent that died before its kill, whose BIRD has restarted by itself', () => {
  it('asks for no kill in the middle of the recovery', async () => {
    const host = await FakeHost.create()
    await host.run(undefined, { at: await moveOf('killContainer', {}), before: true })
    const { bird } = host.node
    const look = bird.look.bind(bird)
    const recovered = host.clock.now() + 5_000
    const recovering = async (...args: Parameters<typeof look>) => {
      const view = await look(...args)
      return view.state === 'up' && host.clock.now() < recovered ? { ...view, recovering: true } : view
    }
    bird.look = recovering as typeof bird.look
    expect(await host.resume()).toBe('rolled-back')
    expect(host.ops.filter((op) => op.startsWith('docker kill'))).toEqual([])
    expect(await host.flaws('rolled-back')).toEqual([])
  })
})

describe('an Engine that does not answer the kill and carries it out', () => {
  it.each(cases)('finds the old container running in the end: $name, $ms ms', async ({ options, ms }) => {
    const host = await FakeHost.create(options)
    const kill = host.docker.killContainer.bind(host.docker)
    host.docker.killTakes = () => host.clock.sleep(ms)
    host.docker.killContainer = (id) => {
      host.docker.killContainer = kill
      void kill(id)
      return Promise.reject(new AgentError('docker-timeout', 'cannot kill: no answer', { fix: 'wait' }))
    }
    const outcome = await host.run()
    await host.clock.sleep(60_000)
    expect(outcome).toBe('rolled-back')
    expect(await host.flaws(outcome)).toEqual([])
  })
})

describe('a new container that cannot be started', () => {
  it('has the old one back, although Docker still cleans up behind it', async () => {
    const host = await FakeHost.create()
    const { docker, clock } = host
    const { bird } = host.node
    docker.killTakes = async () => {
      bird.socketState = () => Promise.resolve('dead')
      bird.look = () => Promise.resolve({ state: 'down' })
      await clock.sleep(100)
      Reflect.deleteProperty(bird, 'socketState')
      Reflect.deleteProperty(bird, 'look')
    }
    docker.failNext('startContainer', new EngineError('start container', 400, 'invalid mount', undefined))
    expect(await host.run()).toBe('rolled-back')
    expect(await host.flaws('rolled-back')).toEqual([])
  })
})

describe('an agent that dies while systemd is at its restart', () => {
  it.each(
    [1, 40, 700, 3_000].flatMap((ms) => [{}, { newExitsAfter: 100 }].map((options) => ({ ms, options }))),
  )('leaves a whole host after its resume: $ms ms, $options', async ({ ms, options }) => {
    const whole = await UnitHost.create(options)
    let at = -1
    whole.agent.onMove = (move, what) => {
      if (what === 'restart' && at < 0) at = move
    }
    await whole.run()
    const host = await UnitHost.create(options)
    host.systemd.slow = { clock: host.clock, ms }
    await host.run({ at, before: false, asked: true })
    const outcome = await host.resume()
    await host.clock.sleep(60_000)
    expect(await host.flaws(outcome)).toEqual([])
    const restarts = host.ops.filter((op) => op.startsWith('systemctl restart'))
    expect(restarts).toHaveLength(outcome === 'upgraded' ? 1 : 2)
  })
})
