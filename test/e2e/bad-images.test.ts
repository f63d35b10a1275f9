import { beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import type { ResetOptions } from '../lab/index.ts'
import * as support from './support.ts'

/** Felix's health port is on: what the old image answers there, the new one must answer as well. */
const withFelix: ResetOptions = { env: { FELIX_HEALTHENABLED: 'true' } }

describe('an image that does not work', () => {
  let at: support.World
  beforeEach(async () => {
    at = await support.world(withFelix)
  })

  async function failedUpgrade(
    tag: string,
    why: RegExp,
    ...flags: string[]
  ): Promise<support.Cost & { result: support.AgentResult }> {
    const { host } = at
    const before = await host.docker.getContainer('calico-node').inspect()
    const cost = await support.costOf(at, () =>
      support.agent(host, 'upgrade', '--node', support.image(tag), ...flags),
    )
    const { code, report } = cost.result
    expect({ code, outcome: report.outcome, changed: report.changed }).toEqual({
      code: 4,
      outcome: 'rolled-back',
      changed: false,
    })
    expect(report.problems.find(({ severity }) => severity === 'error')).toMatchObject({
      code: 'gate-failed',
      message: expect.stringMatching(why) as string,
    })
    await support.expectAsBefore(host, before.Id)
    const after = await host.docker.getContainer('calico-node').inspect()
    expect({ ...after.Config, ...after.HostConfig }).toEqual({ ...before.Config, ...before.HostConfig })
    expect(await host.ok(['docker', 'volume', 'ls', '--quiet'])).toBe('')
    return cost
  }

  it.each([
    { tag: 'exits-at-once', window: 90, why: /exited with code 1/ },
    { tag: 'crashes-after-3s', window: 90, why: /exited with code 1/ },
    { tag: 'no-bird', window: 20, why: /BIRD is not up/ },
    { tag: 'felix-crashes', window: 90, why: /Felix keeps dying in it/ },
    { tag: 'late-bird', window: 30, why: /BIRD is not up/ },
  ])('$tag is rolled back within a window of $window s, at no cost', async ({ tag, window, why }) => {
    support.expectNoCost(await failedUpgrade(tag, why, '--window', String(window)))
  })

  it('felix-unhealthy is rolled back at no cost, and a password that it logs is in no report and no journal', async () => {
    const etcd = support.lab.etcd('plain')
    await etcd.start()
    onTestFinished(async () => {
      await support.world()
      await etcd.kill()
    })
    const url = etcd.endpoint.replace('://', '://root:hunter2@')
    at = await support.world({ env: { ...withFelix.env, ETCD_PASSWORD: 'hunter2', ETCD_ENDPOINTS: url } })
    const cost = await failedUpgrade(
      'felix-unhealthy',
      /9099\/readiness returns (503|no status).*; felix logged: .*ETCD_PASSWORD=<redacted> at http:\/\/<redacted>@192/,
      '--window',
      '30',
    )
    support.expectNoCost(cost)
    const { result } = cost
    const run = result.report.run ?? ''
    const shown = await Promise.all([
      at.host.ok(['agent', 'history', run, '--json']),
      at.host.ok(['agent', 'history', run]),
      at.host.ok(['agent', 'status', '--json']),
      at.host.ok(['sh', '-c', 'grep -h gate-failed /var/lib/calico-agent/runs/*']),
    ])
    for (const text of shown) expect(text).not.toContain('hunter2')
    expect(shown[0]).toContain('ETCD_PASSWORD=<redacted>')
  })

  // A BIRD without peers waits for none: it takes their routes out of the kernel before anybody can ask it.
  it('no-peers is rolled back at once, and the routes that it took away were held', async () => {
    const cost = await failedUpgrade(
      'no-peers',
      /without the peers of the old one.*Mesh_\S+ is not configured/,
    )
    support.expectNoCost(cost)
    expect(await at.host.ok(['ip', 'rule', 'show'])).not.toContain('24724')
  })

  it('is kept when it only takes its time and the window has it: BIRD starts after 30 s', async () => {
    const { host } = at
    await support.configure(host, { settle: 1 })
    const cost = await support.costOf(at, () =>
      support.agent(host, 'upgrade', '--node', support.image('late-bird'), '--window', '90'),
    )
    support.expectNoCost(cost)
    const { code, report } = cost.result
    expect({ code, outcome: report.outcome }).toEqual({ code: 0, outcome: 'upgraded' })
    expect(report.window?.birdDownMs).toBeGreaterThan(25_000)
    expect(report.window?.usedMs).toBeLessThan(70_000)
    expect(await support.containers(host)).toEqual([
      'calico-node late-bird running always',
      'calico-node-parked-RUN v2.6.5 exited no',
    ])
  })
})

describe('an image that cannot be had', () => {
  let at: support.World
  let before: string
  beforeAll(async () => {
    at = await support.world(withFelix)
    before = await support.nodeId(at.host)
  })

  it.each([
    {
      which: 'of another architecture',
      ref: support.image('wrong-arch'),
      problem: 'wrong-architecture',
      words: /arm64/,
    },
    {
      which: 'of no known tag',
      ref: support.image('v2.6.99'),
      problem: 'image-not-found',
      words: /v2\.6\.99/,
    },
    {
      which: 'of no known repository',
      ref: support.image('v2.6.12').replace('calico/node', 'calico/nobody'),
      problem: 'image-not-found',
      words: /calico\/nobody/,
    },
  ])('$which is refused before anything is touched', async ({ ref, problem, words }) => {
    const cost = await support.costOf(at, () => support.agent(at.host, 'upgrade', '--node', ref))
    support.expectNoCost(cost)
    support.expectRefused(cost.result, problem)
    expect(cost.result.report.problems[0]?.message).toMatch(words)
    await support.expectAsBefore(at.host, before)
  })
})

describe('an old container that does not stop as others do', () => {
  it.each([
    { image: 'ignores-term', is: 'ignores TERM' },
    { image: 'term-to-bird', is: 'hands TERM on to BIRD' },
  ])('is replaced at no cost where its PID 1 $is', async ({ image: tag }) => {
    const at = await support.world({ image: tag })
    await support.configure(at.host, { settle: 1 })
    const cost = await support.costOf(at, () =>
      support.agent(at.host, 'upgrade', '--node', support.image('v2.6.12')),
    )
    support.expectNoCost(cost)
    expect(cost.result).toMatchObject({ code: 0, report: { outcome: 'upgraded', problems: [] } })
    expect(await support.containers(at.host)).toEqual([
      'calico-node v2.6.12 running always',
      `calico-node-parked-RUN ${tag} exited no`,
    ])
  })

  it('loses packets and routes by docker stop, which is what the agent spares it', async () => {
    const at = await support.world({ image: 'term-to-bird' })
    const cost = await support.costOf(at, async () => {
      await at.host.ok(['docker', 'stop', 'calico-node'])
      await at.host.ok(['docker', 'start', 'calico-node'])
    })
    expect(cost.traffic.lost).toBeGreaterThan(100)
    expect(cost.withdrawn.map((route) => route.split(' ')[0])).toEqual([at.host.pod])
  })
})

describe('a large image', () => {
  it('is downloaded before the window opens', async () => {
    const at = await support.world()
    await support.configure(at.host, { settle: 1 })
    const cost = await support.costOf(at, () =>
      support.agent(at.host, 'upgrade', '--node', support.image('big')),
    )
    support.expectNoCost(cost)
    const { code, report } = cost.result
    expect({ code, outcome: report.outcome }).toEqual({ code: 0, outcome: 'upgraded' })
    const pull = report.steps.find(({ kind }) => kind === 'pull-image')
    expect(pull?.ms).toBeGreaterThan(report.window?.birdDownMs ?? Infinity)
  })
})
