import { describe, expect, it } from 'vitest'
import { EngineError } from '../../agent/adapters/docker/errors.ts'
import { AgentError } from '../../agent/core/errors.ts'
import { brokenBirds } from './broken-birds.ts'
import { FakeHost } from './fake-host.ts'

/** The Engine goes away at the n-th call of a method, for so long. */
function engineAway(host: FakeHost, method: string, nth: number, ms: number): void {
  let calls = 0
  host.agent.onMove = (_, what) => {
    if (what !== method || ++calls !== nth) return
    host.docker.down = true
    void host.clock.sleep(ms).then(() => (host.docker.down = false))
  }
}

describe('an Engine that goes away', () => {
  it.each([
    ['before the kill', 'killContainer', 1],
    ['between the kill and the start', 'startContainer', 1],
  ])('%s is waited for, and the old container is put back', async (_, method, nth) => {
    const host = await FakeHost.create()
    engineAway(host, method, nth, 5_000)
    expect(await host.run()).toBe('rolled-back')
    expect(await host.flaws('rolled-back')).toEqual([])
  })

  it.each([
    ['between the two policies', 'setRestartPolicy', 2],
    ['between the two names', 'renameContainer', 2],
  ])('in the commit, %s, is waited for, and the commit goes on', async (_, method, nth) => {
    const host = await FakeHost.create()
    engineAway(host, method, nth, 5_000)
    expect(await host.run()).toBe('upgraded')
    expect(await host.flaws('upgraded')).toEqual([])
  })

  it('for good leaves the run open, and a resume finishes it', async () => {
    const host = await FakeHost.create()
    engineAway(host, 'startContainer', 1, 600_000)
    expect(await host.run()).toBe('stuck')
    expect(host.agent.state()).toMatchObject({ outcome: null })
    expect(host.agent.state()?.problems.at(-1)).toMatchObject({
      code: 'docker-unreachable',
      fix: expect.stringContaining('calico-agent resume') as string,
    })
    host.docker.down = false
    expect(await host.resume()).toBe('rolled-back')
    expect(await host.flaws('rolled-back')).toEqual([])
  })
})

describe('an Engine that was killed while it cleaned up behind the old container', () => {
  it('may never start that one again: it is made again', async () => {
    const host = await FakeHost.create(brokenBirds['a container that exits at once'])
    const start = host.docker.startContainer.bind(host.docker)
    // as Engine 20.10 says it, with live-restore
    const left = new EngineError('start container', 500, `task ${host.oldId}: already exists`, undefined)
    host.docker.startContainer = (id) => (id === host.oldId ? Promise.reject(left) : start(id))
    expect(await host.run()).toBe('rolled-back')
    const containers = await host.containers()
    expect(containers).toMatchObject([{ Name: '/calico-node', State: { Running: true } }])
    expect(containers[0]?.Config.Image).toBe('calico/node:v2.6.5')
    expect(containers[0]?.HostConfig.RestartPolicy.Name).toBe('always')
  })
})

describe('a journal that cannot be written any more', () => {
  const full = new AgentError('cannot-write', 'cannot write the journal: no space left on device', {
    fix: 'df -h',
  })

  it.each([
    ['after the kill and the start', 'startContainer'],
    ['before the kill', 'createContainer'],
  ])('%s does not keep the old container from being put back', async (_, lastMove) => {
    const host = await FakeHost.create()
    let isFull = false
    host.agent.onMove = (_move, what) => {
      if (what === 'append' && isFull) throw full
      if (what === lastMove) isFull = true
    }
    expect(['rolled-back', 'refused']).toContain(await host.run())
    expect(host.agent.state()?.outcome).toBeNull()
    expect((await host.containers()).filter(({ State }) => State.Running).map(({ Id }) => Id)).toEqual([
      host.oldId,
    ])

    isFull = false
    host.agent.onMove = () => undefined
    const outcome = await host.resume()
    expect(await host.flaws(outcome)).toEqual([])
  })
})
