// The peers' part in the window: those that are dead, die, or cannot keep routes while BIRD is away.

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import { birdRecovering, type Host, sessionName, until } from '../lab/index.ts'
import { type BackgroundAgent, containerEvents, journal, quickly } from './background.ts'
import * as support from './support.ts'
import { MOMENTS, upgradeUntil } from './under-way.ts'

const nobody = '192.0.2.99'

/** BIRD's word for a protocol: `up`, `start` (it tries), `down` (disabled). */
async function protocolState(host: Host, address: string): Promise<string | undefined> {
  const lines = await host.birdc(`show protocols ${sessionName(address)}`)
  return lines.find((line) => line.includes(sessionName(address)))?.split(/\s+/)[3]
}

const [first] = support.lab.workerMesh().hosts
const router = support.lab.router(`192.0.2.${120 + (first?.index ?? 0)}`)
afterAll(() => router.remove())

async function startRouter(env: Record<string, string> = {}): Promise<void> {
  await router.start({ peers: support.lab.workerMesh().hosts.map(({ address }) => address), env })
}

/** With a live peer beside the hosts; without it, BIRD would wait so many seconds for it. */
async function worldWithRouter({ wait }: { wait: number }): Promise<support.World> {
  await startRouter()
  return await support.world({ extraPeers: [router.address], env: { LAB_GR_WAIT: String(wait) } })
}

/** An upgrade whose router dies at the moment when the old BIRD does. */
async function upgradeAndLoseRouter(host: Host): Promise<BackgroundAgent> {
  const up = await upgradeUntil(host, MOMENTS.windowOpen, await quickly(host))
  await router.kill()
  return up
}

/** Waits for the end of the recovery. Resolves to the last time, in ms since the epoch, at which it was going on. */
async function endOfRecovery(host: Host): Promise<number> {
  let recoveringAt = 0
  const ended = async (): Promise<boolean> => {
    const asked = Date.now()
    const recovering = await birdRecovering(host.birdSocketPath())
    if (recovering) recoveringAt = asked
    return !recovering
  }
  await until('the recovery to end', ended, { everyMs: 10 })
  return recoveringAt
}

const killsSince = async (host: Host, begin: number) =>
  (await containerEvents(host, begin)).filter(({ action }) => action === 'kill')

describe('a peer that is dead before the upgrade', () => {
  it('is released, so that BIRD recovers as soon as the others are back, and is enabled again', async () => {
    const at = await support.world({ deadPeers: [nobody] })
    const { host } = at
    expect(await protocolState(host, nobody)).toBe('start')

    const cost = await support.costOf(at, () =>
      support.agent(host, 'upgrade', '--node', support.image('v2.6.12')),
    )
    support.expectNoCost(cost)
    const { code, report } = cost.result
    expect(code).toBe(0)
    expect(report.outcome).toBe('upgraded')
    expect(report.problems.map(({ code }) => code)).toEqual(['peer-down'])
    expect(report.window?.releasedPeers).toEqual([sessionName(nobody)])
    const { sessionsBackMs, recoveredMs } = report.window ?? {}
    expect((recoveredMs ?? Infinity) - (sessionsBackMs ?? 0)).toBeLessThan(60_000)
    expect(await protocolState(host, nobody)).toBe('start')
  })

  it('holds BIRD back for long where nobody releases it', async () => {
    const at = await support.world({ deadPeers: [nobody] })
    const { host } = at
    const cost = await support.costOf(at, async () => {
      const old = host.docker.getContainer('calico-node')
      const { Config, HostConfig } = await old.inspect()
      const next = await host.docker.createContainer({ ...Config, HostConfig, name: 'successor' })
      await old.kill()
      await next.start()
      await sleep(20_000)
      const inProgress = await birdRecovering(host.birdSocketPath())
      await host.birdc(`disable ${sessionName(nobody)}`)
      return inProgress
    })
    expect(cost.result).toBe(true)
    support.expectNoCost(cost)
  })
})

describe('a live peer that dies in the window', () => {
  it('is told as lost, was never disabled, and does not undo the upgrade', async () => {
    const at = await worldWithRouter({ wait: 12 })
    const { host } = at
    const cost = await support.costOf(at, async () => {
      const up = await upgradeAndLoseRouter(host)
      return await up.done
    })
    support.expectNoCost(cost)
    const { code, report, stderr } = cost.result
    expect({ code, outcome: report.outcome }).toEqual({ code: 0, outcome: 'upgraded' })
    expect(report.problems).toMatchObject([{ code: 'peer-lost', severity: 'warning' }])
    expect(report.problems[0]?.message).toContain(router.address)
    expect(report.window?.releasedPeers).toEqual([])
    expect(stderr).not.toContain('"event":"released"')
    expect(await protocolState(host, router.address)).toBe('start')
  })

  it('makes the recovery long: an agent that is stopped meanwhile waits for its end before it goes back', async () => {
    const at = await worldWithRouter({ wait: 120 })
    const { host } = at
    const oldId = await support.nodeId(host)
    const begin = Date.now()
    let recoveringAt = 0
    const cost = await support.costOf(
      at,
      async () => {
        const up = await upgradeAndLoseRouter(host)
        await up.untilLogs(/"phase":"recovering"/)
        await up.kill('SIGINT')
        await sleep(5_000)
        expect(await support.containers(host)).toContain('calico-node-next-RUN v2.6.12 running no')
        await startRouter()
        recoveringAt = await endOfRecovery(host)
        return await up.done
      },
      { extraPeers: [router.address] },
    )
    support.expectNoCost(cost)
    const { code, report } = cost.result
    expect({ code, outcome: report.outcome, changed: report.changed }).toEqual({
      code: 4,
      outcome: 'rolled-back',
      changed: false,
    })
    expect(report.problems).toMatchObject([{ code: 'cancelled', message: 'the run was stopped by SIGINT' }])
    await support.expectAsBefore(host, oldId)

    const kills = await killsSince(host, begin)
    expect(kills.map(({ id }) => (id === oldId ? 'old' : 'new'))).toEqual(['old', 'new'])
    expect(kills[1]?.at).toBeGreaterThan(recoveringAt)
    const undone = (await journal(host)).find(({ type }) => type === 'undone')
    expect(undone).toMatchObject({ window: { releasedPeers: [] } })
  })

  it('and an agent that dies in it: resume waits for its end and keeps the new node', async () => {
    const at = await worldWithRouter({ wait: 12 })
    const { host } = at
    const oldId = await support.nodeId(host)
    const begin = Date.now()
    const cost = await support.costOf(at, async () => {
      const up = await upgradeAndLoseRouter(host)
      await up.untilLogs(/"phase":"recovering"/)
      await up.kill('SIGKILL')
      await up.done
      return await support.agent(host, 'resume')
    })
    support.expectNoCost(cost)
    expect(cost.result).toMatchObject({ code: 0, report: { outcome: 'upgraded' } })
    expect((await killsSince(host, begin)).map(({ id }) => id)).toEqual([oldId])
  })

  it('does not keep a stopped agent from its way back', async () => {
    const at = await worldWithRouter({ wait: 8 })
    const { host } = at
    const oldId = await support.nodeId(host)
    const begin = performance.now()
    const cost = await support.costOf(at, async () => {
      const up = await upgradeAndLoseRouter(host)
      await up.kill('SIGINT')
      return await up.done
    })
    support.expectNoCost(cost)
    expect(cost.result).toMatchObject({ code: 4, report: { outcome: 'rolled-back', changed: false } })
    expect(cost.result.report.problems).toMatchObject([{ code: 'cancelled' }, { code: 'peer-lost' }])
    expect(performance.now() - begin).toBeLessThan(150_000)
    await support.expectAsBefore(host, oldId)
  })

  it('may be the only one: the old node is put back, and nobody waits for what is gone', async () => {
    const at = await support.world()
    const { host, peer } = at
    const oldId = await support.nodeId(host)
    const begin = performance.now()
    const [traffic, routes] = await Promise.all([at.mesh.traffic(host, peer), at.mesh.watchRoutes(peer)])
    const up = await upgradeUntil(host, MOMENTS.windowOpen, ['--window', '20'])
    await peer.docker.getContainer('calico-node').kill()
    const { code, report } = await up.done
    expect(performance.now() - begin).toBeLessThan(180_000)
    // Up to here: two neighbours that come back at once do not keep each other's routes.
    const withdrawn = (await routes.stop()).map(({ route }) => route)
    support.expectNoCost({ traffic: await traffic.stop(), withdrawn })
    expect({ code, outcome: report.outcome, changed: report.changed }).toEqual({
      code: 4,
      outcome: 'rolled-back',
      changed: false,
    })
    expect(report.problems).toMatchObject([{ code: 'gate-failed' }, { code: 'peer-lost' }])
    await support.expectAsBefore(host, oldId)
  })
})

describe('an upgrade is refused', () => {
  it('where a peer drops the routes as soon as BIRD dies', async () => {
    await startRouter({ LAB_GR: 'off' })
    const at = await support.world({ extraPeers: [router.address] })
    await expectRefusal(at, 'peer-not-restart-aware', sessionName(router.address))
  })

  it('in the middle of a recovery', async () => {
    const at = await support.world({ deadPeers: [nobody] })
    const { host } = at
    await host.docker.getContainer('calico-node').restart({ t: 0 })
    await until('BIRD to recover', () => birdRecovering(host.birdSocketPath()))
    await expectRefusal(at, 'bird-recovering', 'recovery')
  })

  async function expectRefusal(at: support.World, problem: string, words: string): Promise<void> {
    const { host } = at
    const id = await support.nodeId(host)
    const { StartedAt } = (await host.docker.getContainer(id).inspect()).State
    const cost = await support.costOf(at, async () => {
      const result = await support.agent(host, 'upgrade', '--node', support.image('v2.6.12'))
      await host.birdc(`disable ${sessionName(nobody)}`).catch(() => undefined)
      return result
    })
    support.expectNoCost(cost)
    support.expectRefused(cost.result, problem)
    expect(cost.result.report.problems[0]?.message).toContain(words)
    await support.expectAsBefore(host, id)
    expect((await host.docker.getContainer(id).inspect()).State.StartedAt).toBe(StartedAt)
  }
})
