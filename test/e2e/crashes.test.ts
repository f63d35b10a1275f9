// Runs that end with no chance to clean up: `kill -9` of the agent, a power cut of the host.

import { setTimeout as sleep } from 'node:timers/promises'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Host } from '../lab/index.ts'
import { quickly } from './background.ts'
import * as support from './support.ts'
import { MOMENTS, slowImage, UPGRADED, upgradeUntil } from './under-way.ts'

let at: support.World
let oldId: string
let flags: string[]

beforeEach(async () => {
  at = await support.world()
  oldId = await support.nodeId(at.host)
  flags = await quickly(at.host)
})

/** Old or new, whole; and a second resume has nothing to do. */
async function expectWhole(host: Host, outcome: string): Promise<void> {
  if (outcome === 'upgraded') expect(await support.containers(host)).toEqual(UPGRADED)
  else await support.expectAsBefore(host, oldId)
  const id = await support.nodeId(host)
  const again = await support.agent(host, 'resume')
  expect(again).toMatchObject({ code: 0, report: { outcome: 'unchanged', changed: false, problems: [] } })
  expect(await support.nodeId(host)).toBe(id)
  const files = await host.ok(['find', '/var/lib/calico-agent', '-type', 'f', '-printf', '%P\n'])
  expect(files).toMatch(/^(lock\n|runs\/[^/]+\.jsonl\n){2}$/)
}

// Deaths at each of its calls: faults.test.ts.
describe('an agent that is killed', () => {
  it.each<[string, RegExp, { settledAs: string; code: number; node?: string; settle?: number }]>([
    ['during the pull', MOMENTS.pulling, { settledAs: 'refused', code: 3, node: slowImage }],
    ['before any session is back', MOMENTS.birdUp, { settledAs: 'upgraded', code: 0 }],
    ['while the new node settles', MOMENTS.recovered, { settledAs: 'upgraded', code: 0, settle: 10 }],
  ])('%s leaves a run that resume settles at no cost', async (_when, moment, expected) => {
    const { host } = at
    const cost = await support.costOf(at, async () => {
      const slow = expected.settle === undefined ? flags : await quickly(host, { settle: expected.settle })
      const run = await upgradeUntil(host, moment, slow, expected.node)
      await run.kill('SIGKILL')
      expect((await run.done).code).toBe(137)
      await sleep(1_000)
      return await support.agent(host, 'resume')
    })
    support.expectNoCost(cost)
    const { code, report } = cost.result
    expect({ code, outcome: report.outcome }).toEqual({ code: expected.code, outcome: expected.settledAs })
    await expectWhole(host, report.outcome)
  })

  /** The lab has no datastore. */
  const migrated = ['--allow', 'datastore-migration']

  it('is followed by an upgrade that settles its run first', async () => {
    const { host } = at
    const cost = await support.costOf(at, async () => {
      const run = await upgradeUntil(host, MOMENTS.birdUp, flags)
      await run.kill('SIGKILL')
      return await support.agent(host, 'upgrade', '--node', support.image('v3.26.1'), ...flags, ...migrated)
    })
    support.expectNoCost(cost)
    expect(cost.result).toMatchObject({ code: 0, report: { outcome: 'upgraded' } })
    expect(cost.result.report.components.node).toEqual({
      from: support.image('v2.6.12'),
      to: support.image('v3.26.1'),
    })
    expect(await support.containers(host)).toEqual([
      'calico-node v3.26.1 running always',
      'calico-node-parked-RUN v2.6.12 exited no',
    ])
  })
})

describe('a host whose power is cut', () => {
  async function powerCycle(host: Host): Promise<void> {
    await host.powerCut()
    await host.powerOn()
    await at.mesh.untilSettled()
    expect(await at.peer.ok(['ip', 'route', 'show', host.pod])).toContain('proto bird')
  }

  async function running(host: Host): Promise<string[]> {
    return (await support.containers(host)).filter((container) => container.includes(' running '))
  }

  it.each<[string, RegExp]>([
    ['before any session is back', MOMENTS.birdUp],
    ['while the new node settles', MOMENTS.recovered],
  ])('in the trial, %s, comes back with the old node', async (_when, moment) => {
    const { host } = at
    await upgradeUntil(host, moment, ['--window', '30'])
    await powerCycle(host)
    expect(await running(host)).toEqual(['calico-node v2.6.5 running always'])

    const settled = await support.costOf(at, () => support.agent(host, 'resume'))
    support.expectNoCost(settled)
    expect(settled.result).toMatchObject({ code: 4, report: { outcome: 'rolled-back', changed: false } })
    await expectWhole(host, 'rolled-back')
  })

  it('after the commit comes back with the new node', async () => {
    const { host } = at
    const { report } = await support.agent(host, 'upgrade', '--node', support.image('v2.6.12'), ...flags)
    expect(report.outcome).toBe('upgraded')
    await powerCycle(host)
    expect(await running(host)).toEqual(['calico-node v2.6.12 running always'])
    await expectWhole(host, 'upgraded')
  })
})
