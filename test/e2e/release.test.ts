// Releases by their name, and which version may follow which.

import { beforeAll, describe, expect, it } from 'vitest'
import { installOldPlugins, pluginsOf } from '../lab/index.ts'
import { expectRefusal, snapshot } from './refusal.ts'
import * as support from './support.ts'
import { UPGRADED } from './under-way.ts'

const registry = support.image('').replace(/\/calico\/node:$/, '')

describe('--to', () => {
  let at: support.World

  beforeAll(async () => {
    at = await support.world()
    await support.configure(at.host, { registry, node: { image: support.image('v2.6.5') }, settle: 2 })
  })

  it.each([
    [
      'a release that nobody knows',
      ['--to', 'v2.6.13'],
      { code: 2, problem: 'bad-config', says: '--to: release v2.6.13', fix: 'calico-agent --help' },
    ],
    [
      'the way to v3',
      ['--to', 'v3.26.1'],
      {
        code: 3,
        problem: 'datastore-migration',
        says: 'calico-upgrade must start the migration first',
        fix: '--allow datastore-migration',
      },
    ],
  ] as const)('is refused for %s', async (_, argv, refusal) => {
    const { host } = at
    const before = await snapshot(host)
    expectRefusal(await support.agent(host, 'upgrade', ...argv), refusal)
    expect(await snapshot(host)).toEqual(before)
  })

  it('goes to v3 once it is stated that the migration is started', async () => {
    const { code, report } = await support.agent(
      at.host,
      ...['plan', '--to', 'v3.26.1', '--allow', 'datastore-migration'],
    )
    expect({ code, outcome: report.outcome }).toEqual({ code: 0, outcome: 'planned' })
    expect(report.problems).toMatchObject([{ code: 'datastore-migration', severity: 'warning' }])
  })

  it("upgrades to the release's node image, over the image of the config", async () => {
    const { host } = at
    expect(await support.agent(host, 'plan')).toMatchObject({ code: 0, report: { outcome: 'unchanged' } })
    const cost = await support.costOf(at, () => support.agent(host, 'upgrade', '--to', '2.6.12'))
    support.expectNoCost(cost)
    expect(cost.result).toMatchObject({ code: 0, report: { outcome: 'upgraded', problems: [] } })
    expect(cost.result.report.components.node).toEqual({
      from: support.image('v2.6.5'),
      to: support.image('v2.6.12'),
    })
    expect(await support.containers(host)).toEqual(UPGRADED)
    expect(await support.agent(host, 'upgrade', '--to', 'v2.6.12')).toMatchObject({
      code: 0,
      report: { outcome: 'unchanged' },
    })
  })
})

it("brings the release's CNI plugins to a host that has some", async () => {
  const { host } = await support.world()
  const cni = support.lab.registry.cniImage('v2.0.6')
  await support.configure(host, { registry, release: 'v2.6.12', releases: { 'v2.6.12': { cni } }, settle: 2 })
  expect((await support.agent(host, 'plan')).report.components).toEqual({
    node: { from: support.image('v2.6.5'), to: support.image('v2.6.12') },
  })
  await installOldPlugins(host)
  const { code, report } = await support.agent(host, 'upgrade')
  expect({ code, outcome: report.outcome }).toEqual({ code: 0, outcome: 'upgraded' })
  expect(report.components).toMatchObject({ node: { to: support.image('v2.6.12') }, cni: { to: cni } })
  expect(await pluginsOf(host)).toMatchObject({ calico: 'of v2.0.6', 'calico-ipam': 'of v2.0.6' })
  expect(await support.agent(host, 'upgrade')).toMatchObject({ code: 0, report: { outcome: 'unchanged' } })
})
