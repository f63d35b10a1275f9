import { describe, expect, it } from 'vitest'
import { EngineError } from '../../agent/adapters/docker/errors.ts'
import { AgentError } from '../../agent/core/errors.ts'
import { FakeHost, type HostOptions } from './fake-host.ts'

const full = new EngineError('set the restart policy', 500, 'runc: no space left on device', undefined)
const fault = new EngineError('set the restart policy', 503, 'temporarily unavailable', undefined)
const slow = new AgentError('docker-timeout', 'cannot update: no answer', { fix: 'wait' })
const gone = new EngineError('set the restart policy', 404, 'page not found', undefined)

/** The calls of a method that fail: from the n-th on, for so long. */
function failing(host: FakeHost, [method, nth]: [string, number], error: Error, ms = 600_000): void {
  let calls = 0
  let until = Infinity
  host.agent.onMove = (_, what) => {
    if (what !== method || ++calls < nth) return
    if (calls === nth) until = host.clock.now() + ms
    if (host.clock.now() < until) throw error
  }
}

const policies = async (host: FakeHost) =>
  (await host.containers()).map(({ HostConfig }) => HostConfig.RestartPolicy.Name)

// the 1st call is the trial before the KILL, the 2nd has the old one give its policy up, the 3rd gives it to the new one
describe('a commit that fails by what may pass', () => {
  it.each([
    ['a full disk', full, 2],
    ['a full disk, after the old one gave up its policy', full, 3],
    ['a fault of the Engine', fault, 3],
    ['an Engine that does not answer', slow, 2],
  ])('goes on when it has passed: %s', async (_, error, nth) => {
    const host = await FakeHost.create()
    failing(host, ['setRestartPolicy', nth], error, 5_000)
    expect(await host.run()).toBe('upgraded')
    expect(await host.flaws('upgraded')).toEqual([])
  })

  it.each([full, fault])('leaves the run open, and a resume finishes it: $code', async (error) => {
    const host = await FakeHost.create()
    failing(host, ['setRestartPolicy', 2], error)
    expect(await host.run()).toBe('stuck')
    expect(host.agent.state()?.outcome).toBeNull()
    expect(host.agent.state()?.problems.at(-1)?.fix).toContain('calico-agent resume')
    expect(await policies(host)).toContain('always')
    const failed = host.events.filter((event) => event.type === 'step' && event.status === 'failed')
    expect(failed).toHaveLength(2)
    host.agent.onMove = () => undefined
    expect(await host.resume()).toBe('upgraded')
    expect(await host.flaws('upgraded')).toEqual([])
    // what has passed is no error of it any more
    const stopped = host.agent.state()?.problems.filter(({ code }) => code === error.code)
    expect(stopped).toMatchObject([{ severity: 'warning' }])
  })

  it.each<[string, HostOptions]>([
    ['always', {}],
    ['unless-stopped', { policy: 'unless-stopped' }],
  ])('between the policies leaves the old one its own, for a boot: %s', async (_, options) => {
    const host = await FakeHost.create(options)
    // runc writes to /run, for a container that runs: only the new one cannot be changed
    const update = host.docker.setRestartPolicy.bind(host.docker)
    host.docker.setRestartPolicy = async (id, policy) => {
      const found = await host.docker.inspectContainer(id)
      if (found?.State.Running === true && id !== host.oldId) throw full
      await update(id, policy)
    }
    expect(await host.run()).toBe('stuck')
    expect(await policies(host)).toEqual(['always', 'no'])
    host.docker.setRestartPolicy = update
    host.powerCycle()
    expect(await host.resume()).toBe('rolled-back')
    expect(await host.flaws('rolled-back')).toEqual([])
  })
})

describe('a commit that fails for good', () => {
  it('at its first change is undone', async () => {
    const host = await FakeHost.create()
    let calls = 0
    host.agent.onMove = (_, what) => {
      if (what === 'setRestartPolicy' && ++calls === 2) throw gone
    }
    expect(await host.run()).toBe('rolled-back')
    expect(await host.flaws('rolled-back')).toEqual([])
  })

  it('between the policies is undone as well: nothing of it took hold', async () => {
    const host = await FakeHost.create()
    let calls = 0
    host.agent.onMove = (_, what) => {
      if (what === 'setRestartPolicy' && ++calls === 3) throw gone
    }
    expect(await host.run()).toBe('rolled-back')
    expect(await host.flaws('rolled-back')).toEqual([])
  })
})

describe('an Engine that cannot change a restart policy', () => {
  it('is found out before the KILL', async () => {
    const host = await FakeHost.create()
    host.docker.setRestartPolicy = () => Promise.reject(gone)
    expect(await host.run()).toBe('refused')
    expect(host.ops.filter((op) => op.startsWith('docker kill'))).toEqual([])
    expect(await host.flaws('refused')).toEqual([])
  })

  it('is found out before the KILL, where a full /run lets only what stopped be changed', async () => {
    const host = await FakeHost.create({ policy: 'unless-stopped' })
    const update = host.docker.setRestartPolicy.bind(host.docker)
    host.docker.setRestartPolicy = async (id, policy) => {
      if ((await host.docker.inspectContainer(id))?.State.Running === true) throw full
      await update(id, policy)
    }
    expect(await host.run()).toBe('refused')
    expect(host.ops.filter((op) => op.startsWith('docker kill'))).toEqual([])
    expect(await host.flaws('refused')).toEqual([])
  })
})

describe('a way back that fails by what may pass', () => {
  it('leaves the run open, and a resume ends it', async () => {
    const host = await FakeHost.create({ newExitsAfter: 100 })
    failing(host, ['startContainer', 2], full)
    expect(await host.run()).toBe('stuck')
    expect(host.agent.state()?.outcome).toBeNull()
    host.agent.onMove = () => undefined
    expect(await host.resume()).toBe('rolled-back')
    expect(await host.flaws('rolled-back')).toEqual([])
  })
})
