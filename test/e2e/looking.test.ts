// Commands that only look: they change nothing, not even in the agent's own directory.

import { beforeAll, describe, expect, it } from 'vitest'
import { quickly } from './background.ts'
import * as support from './support.ts'

let at: support.World

beforeAll(async () => {
  const etcd = support.lab.etcd('tls')
  await etcd.start()
  at = await support.world({
    env: {
      ...{ ETCD_PASSWORD: 'hunter2', LOG: 'info' },
      ETCD_ENDPOINTS: etcd.endpoint.replace('://', '://root:hunter2@'),
    },
    args: ['--label=owner=network', '--label=join-token=hunter2'],
  })
})

describe('what an upgrade would do', () => {
  it.each([
    ['plan', []],
    ['plan', ['--diff']],
    ['upgrade', ['--check', '--diff']],
  ])('is shown by %s %j, field by field, without secrets, and not done', async (command, flags) => {
    const { host } = at
    const id = await support.nodeId(host)
    const argv = [command, '--node', support.image('v2.6.12'), ...flags]
    const cost = await support.costOf(at, async () => ({
      ...(await support.agent(host, ...argv)),
      human: await host.run(['agent', ...argv]),
    }))
    support.expectNoCost(cost)
    const { code, report, human } = cost.result
    expect({ code, outcome: report.outcome, changed: report.changed }).toEqual({
      code: 0,
      outcome: 'planned',
      changed: true,
    })
    expect(report.components.node).toEqual({ from: support.image('v2.6.5'), to: support.image('v2.6.12') })
    expect(report.steps.map(({ kind, status }) => `${kind} ${status}`)).toEqual([
      'pull-image pending',
      'create-container pending',
      'swap-container pending',
      'commit pending',
    ])
    const [diff] = report.diff
    expect(diff?.target).toBe('container calico-node')
    expect(onlyIn(diff?.before, diff?.after)).toEqual([`Image: ${support.image('v2.6.5')}`])
    expect(onlyIn(diff?.after, diff?.before)).toEqual([`Image: ${support.image('v2.6.12')}`])
    expect(diff?.after).toContain('Env.ETCD_PASSWORD: <redacted>')

    expect(human.code).toBe(0)
    expect(human.stdout).toContain('would change')
    if (flags.includes('--diff')) {
      expect(human.stdout).toMatch(new RegExp(`^ *- *Image: ${support.image('v2.6.5')}$`, 'm'))
      expect(human.stdout).toMatch(new RegExp(`^ *\\+ *Image: ${support.image('v2.6.12')}$`, 'm'))
    }
    expect(JSON.stringify(report) + cost.result.stderr + human.stdout + human.stderr).not.toContain('hunter2')

    expect(await host.exists('/var/lib/calico-agent')).toBe(false)
    expect(await support.containers(host)).toEqual(['calico-node v2.6.5 running always'])
    expect(await support.nodeId(host)).toBe(id)
    expect((await host.run(['docker', 'image', 'inspect', support.image('v2.6.12')])).code).not.toBe(0)
  })

  it('is nothing where the image runs already', async () => {
    expect(await support.agent(at.host, 'plan', '--node', support.image('v2.6.5'))).toMatchObject({
      code: 0,
      report: { outcome: 'unchanged', changed: false, steps: [], diff: [] },
    })
  })
})

describe('calico-agent status', () => {
  it('tells what runs, in both forms, before any run', async () => {
    const { host, peer } = at
    const json = JSON.parse(
      await host.ok(['agent', 'status', '--node', support.image('v2.6.12'), '--json']),
    ) as unknown
    expect(json).toMatchObject({
      schema: 1,
      node: {
        container: 'calico-node',
        id: await support.nodeId(host),
        image: support.image('v2.6.5'),
        version: '2.6.5',
        state: 'running',
        restartPolicy: 'always',
        owner: { kind: 'docker' },
      },
      bird: [{ family: 4, recovering: false, sessions: [{ neighbor: peer.address, established: true }] }],
      lastRun: null,
      unfinishedRun: null,
      upgrade: {
        refused: false,
        changed: true,
        components: { node: { from: support.image('v2.6.5'), to: support.image('v2.6.12') } },
        problems: [],
      },
      problems: [],
    })
    const human = await host.ok(['agent', 'status'])
    expect(human).toMatch(/^node +calico-node \(/m)
    expect(human).toContain(support.image('v2.6.5'))
    expect(human).toMatch(new RegExp(`${peer.address} +\\d+ routes? +Established`))
    expect(JSON.stringify(json) + human).not.toContain('hunter2')
    expect(await host.exists('/var/lib/calico-agent')).toBe(false)
  })

  it('tells the last run', async () => {
    const { host } = at
    const cost = await support.costOf(at, async () =>
      support.agent(host, 'upgrade', '--node', support.image('v2.6.12'), ...(await quickly(host))),
    )
    support.expectNoCost(cost)
    const { run, window } = cost.result.report
    const { lastRun } = JSON.parse(await host.ok(['agent', 'status', '--json'])) as { lastRun: unknown }
    expect(lastRun).toMatchObject({
      run,
      outcome: 'upgraded',
      components: { node: { from: support.image('v2.6.5'), to: support.image('v2.6.12') } },
      window,
    })
    const human = await host.ok(['agent', 'status'])
    expect(human).toMatch(new RegExp(`last run +${run ?? ''}.*: upgraded`))
    const journal = await host.ok([
      'sh',
      '-c',
      'cat /var/lib/calico-agent/runs/*; stat -c %a /var/lib/calico-agent/runs/*',
    ])
    expect(journal.trim().split('\n').at(-1)).toBe('600')
  })
})

function onlyIn(text = '', other = ''): string[] {
  const lines = new Set(other.split('\n'))
  return text.split('\n').filter((line) => !lines.has(line))
}
