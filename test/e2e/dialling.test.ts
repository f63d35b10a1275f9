// A mesh as before Calico v3.4: both ends of each session dial, and BIRD has its default timers.

import { describe, expect, it } from 'vitest'
import type { Host } from '../lab/index.ts'
import { quickly, startAgent } from './background.ts'
import * as support from './support.ts'
import { MOMENTS, upgradeUntil } from './under-way.ts'

const OLD_MESH = { env: { LAB_MESH: 'two-way' } }

/** Neighbors that are kept from dialling now. */
async function keptOut(host: Host): Promise<string[]> {
  const rules = (await host.ok(['ip', 'rule', 'show'])).split('\n')
  return rules.flatMap((rule) => /^179:.* to (\S+) ipproto tcp sport 179 blackhole/.exec(rule)?.[1] ?? [])
}

/** Whether the host would answer a connection of the peer's; a real one would cost the session that is up. */
async function canDial(peer: Host, host: Host): Promise<boolean> {
  const answer = ['ipproto', 'tcp', 'sport', '179', 'dport', '40000']
  return (await host.run(['ip', 'route', 'get', peer.address, ...answer])).code === 0
}

/** After whose end nobody is kept out, and the peers have lost nothing. */
async function underTraffic<T>(at: support.World, action: () => Promise<T>): Promise<T> {
  const { result, ...cost } = await support.costOf(at, action)
  // one collision shows in both
  expect({ lost: cost.traffic.lost, withdrawn: cost.withdrawn }).toEqual({ lost: 0, withdrawn: [] })
  support.expectNoCost(cost)
  expect(await keptOut(at.host)).toEqual([])
  expect(await canDial(at.peer, at.host)).toBe(true)
  return result
}

describe('a neighbor that dials as well', () => {
  it('is named by doctor, kept out while the window is open, and let in at its end', async () => {
    const at = await support.world(OLD_MESH)
    const { host, peer } = at
    expect((await host.run(['agent', 'doctor', '--json'])).stdout).toContain('both-dial')
    const { code, report } = await underTraffic(at, async () => {
      const up = await upgradeUntil(host, MOMENTS.birdUp, await quickly(host))
      expect(await keptOut(host)).toEqual([peer.address])
      expect(await canDial(peer, host)).toBe(false)
      return await up.done
    })
    expect({ code, outcome: report.outcome }).toEqual({ code: 0, outcome: 'upgraded' })
    expect(report.problems.map((problem) => problem.code)).toEqual(['both-dial'])
  })

  it('is let in after a way back', async () => {
    const at = await support.world(OLD_MESH)
    const oldId = await support.nodeId(at.host)
    const flags = await quickly(at.host)
    const { code, report } = await underTraffic(at, () =>
      support.agent(at.host, 'upgrade', '--node', support.image('exits-at-once'), ...flags),
    )
    expect({ code, outcome: report.outcome }).toEqual({ code: 4, outcome: 'rolled-back' })
    await support.expectAsBefore(at.host, oldId)
  })

  it('is kept out while the agent is dead, and let in by the resume', async () => {
    const at = await support.world(OLD_MESH)
    const { host, peer } = at
    const { code, report } = await underTraffic(at, async () => {
      const up = await upgradeUntil(host, MOMENTS.birdUp, await quickly(host))
      await up.kill('SIGKILL')
      await up.done
      expect(await keptOut(host)).toEqual([peer.address])
      return await support.agent(host, 'resume')
    })
    expect({ code, outcome: report.outcome }).toEqual({ code: 0, outcome: 'upgraded' })
  })

  it('is let in at once where the new BIRD waits for it, as from v3.4 on, and kept out by a rollback', async () => {
    const at = await support.world({ env: { LAB_MESH: 'of-version' } })
    const { host, peer } = at
    const flags = [...(await quickly(host)), '--allow', 'datastore-migration']
    const forth = await underTraffic(at, () =>
      support.agent(host, 'upgrade', '--node', support.image('v3.26.1'), ...flags),
    )
    expect(forth.report.outcome).toBe('upgraded')
    expect(forth.stderr).toContain(`may dial again: ${peer.address}`)

    const back = await underTraffic(at, async () => {
      const run = await startAgent(host, 'rollback', ...flags)
      await run.untilLogs(MOMENTS.birdUp)
      expect(await keptOut(host)).toEqual([peer.address])
      return await run.done
    })
    expect(back.report.outcome).toBe('rolled-back')
  })
})
