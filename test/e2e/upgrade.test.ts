import { beforeEach, describe, expect, it } from 'vitest'
import * as support from './support.ts'

describe('calico-agent upgrade', () => {
  let at: support.World
  beforeEach(async () => {
    at = await support.world()
  })

  it('replaces v2.6.5 by v2.6.12 and rolls it back, without a packet lost or a route withdrawn', async () => {
    const { host } = at
    const oldId = await support.nodeId(host)

    const up = await support.costOf(at, () =>
      support.agent(host, 'upgrade', '--node', support.image('v2.6.12'), '--diff'),
    )
    support.expectNoCost(up)
    expect(up.result.code).toBe(0)
    const { outcome, changed, components, window, problems } = up.result.report
    expect({ outcome, changed, problems }).toEqual({ outcome: 'upgraded', changed: true, problems: [] })
    expect(components.node).toEqual({ from: support.image('v2.6.5'), to: support.image('v2.6.12') })
    expect(window).toMatchObject({ budgetMs: 90_000, releasedPeers: [] })
    expect(window?.birdDownMs).toBeLessThan(window?.recoveredMs ?? 0)
    expect(await support.containers(host)).toEqual([
      'calico-node v2.6.12 running always',
      'calico-node-parked-RUN v2.6.5 exited no',
    ])

    const back = await support.costOf(at, () => support.agent(host, 'rollback'))
    support.expectNoCost(back)
    expect(back.result.code).toBe(0)
    expect(back.result.report).toMatchObject({ outcome: 'rolled-back', changed: true })
    expect(await support.nodeId(host)).toBe(oldId)
    expect(await support.containers(host)).toEqual([
      'calico-node v2.6.5 running always',
      'calico-node-parked-RUN v2.6.12 exited no',
    ])
  })

  it('upgrades where BIRD fails once at its first start, as beside a real confd, without a packet lost', async () => {
    at = await support.world({ env: { LAB_FIRST_START: 'fails' } })
    const cost = await support.costOf(at, () =>
      support.agent(at.host, 'upgrade', '--node', support.image('v2.6.12')),
    )
    support.expectNoCost(cost)
    const { code, report } = cost.result
    expect({ code, outcome: report.outcome, problems: report.problems }).toEqual({
      code: 0,
      outcome: 'upgraded',
      problems: [],
    })
    expect(report.window?.birdDownMs).toBeGreaterThan(900)
    const log = await at.host.readFile('/var/log/calico/bird/current')
    expect(log).toContain('Unable to open configuration file')
  })

  it('changes nothing where the image runs already', async () => {
    const { host } = at
    const id = await support.nodeId(host)
    const { code, report } = await support.agent(host, 'upgrade', '--node', support.image('v2.6.5'))
    expect({ code, outcome: report.outcome, changed: report.changed }).toEqual({
      code: 0,
      outcome: 'unchanged',
      changed: false,
    })
    await support.expectAsBefore(host, id)
  })
})
