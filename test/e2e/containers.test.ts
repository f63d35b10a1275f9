import { describe, expect, it } from 'vitest'
import type { StatusReport } from '../../agent/core/report/status.ts'
import type { Host } from '../lab/index.ts'
import { changedFields, inspected } from './inspection.ts'
import * as support from './support.ts'

type UpgradeCost = support.Cost & { result: support.AgentResult }

async function upgrade(at: support.World, tag: string): Promise<UpgradeCost> {
  await support.configure(at.host, { settle: 1 })
  return await support.costOf(at, () => support.agent(at.host, 'upgrade', '--node', support.image(tag)))
}

function expectUpgraded(cost: UpgradeCost): void {
  support.expectNoCost(cost)
  expect(cost.result).toMatchObject({ code: 0, report: { outcome: 'upgraded', changed: true } })
}

function expectRolledBack(cost: UpgradeCost): void {
  support.expectNoCost(cost)
  expect(cost.result).toMatchObject({ code: 4, report: { outcome: 'rolled-back', changed: false } })
}

const volumes = async (host: Host): Promise<string[]> =>
  (await host.ok(['docker', 'volume', 'ls', '--quiet'])).split('\n').filter(Boolean)

/** What an upgrade from v2.6.5 to v2.6.12 changes in a container that sets none of its image's defaults. */
const newDefaults = {
  'Config.Image': [support.image('v2.6.5'), support.image('v2.6.12')],
  'Config.Env.LAB_IMAGE_DEFAULT': ['of-v2.6.5', 'of-v2.6.12'],
  'Config.Env.LAB_DEFAULT_SINCE_V2_6_5': ['yes', undefined],
  'Config.Env.LAB_DEFAULT_SINCE_V2_6_12': [undefined, 'yes'],
  'Config.Labels.org.opencontainers.image.version': ['v2.6.5', 'v2.6.12'],
  'Config.Labels.calico-agent.run': [undefined, expect.any(String) as string],
}

describe('what the operator asked for', () => {
  it.each([
    { what: 'nothing of its own', args: [], command: [], kept: {} },
    { what: 'an init', args: ['--init'], command: [], kept: { 'HostConfig.Init': true } },
    {
      what: 'environment, command, labels and limits',
      args: [
        ...['--env=OWN=mine', '--env=LAB_IMAGE_DEFAULT=mine'],
        ...['--label=own=mine', '--label=org.opencontainers.image.title=mine'],
        ...['--memory=512m', '--cpu-shares=512', '--ulimit=nofile=4096:8192'],
        ...['--log-opt=max-size=1m', '--hostname=router-a', '--stop-timeout=3', '--dns=192.0.2.53'],
      ],
      command: ['/sbin/start_runit', '--mine'],
      kept: {
        'Config.Env.OWN': 'mine',
        'Config.Env.LAB_IMAGE_DEFAULT': 'mine',
        'Config.Labels.own': 'mine',
        'Config.Labels.org.opencontainers.image.title': 'mine',
        'Config.Cmd.1': '--mine',
        'Config.Hostname': 'router-a',
        'HostConfig.Memory': 512 * 1024 * 1024,
        'HostConfig.LogConfig.Config.max-size': '1m',
      },
    },
  ])('is kept beside the new image’s defaults: $what', async ({ args, command, kept }) => {
    const at = await support.world({ args, command })
    const before = await inspected(at.host)
    expect(before).toMatchObject(kept)

    expectUpgraded(await upgrade(at, 'v2.6.12'))
    const expected = Object.entries(newDefaults).filter(([field]) => !(field in kept))
    expect(changedFields(before, await inspected(at.host))).toEqual(Object.fromEntries(expected))
  })
})

describe('anonymous volumes', () => {
  it('survive a failed upgrade, an upgrade and a rollback, and none is left over', async () => {
    const at = await support.world({ args: ['--volume=/data', '--mount=type=volume,dst=/more'] })
    const { host } = at
    const before = await volumes(host)
    const id = await support.nodeId(host)
    expect(before).toHaveLength(2)
    const inNode = (script: string) => host.ok(['docker', 'exec', 'calico-node', 'sh', '-c', script])
    await inNode('echo kept > /data/file; echo kept > /more/file')

    expectRolledBack(await upgrade(at, 'exits-at-once'))
    await support.expectAsBefore(host, id)
    expect(await volumes(host)).toEqual(before)
    expect(await inNode('cat /data/file /more/file')).toBe('kept\nkept\n')

    expectUpgraded(await upgrade(at, 'v2.6.12'))
    expect(await volumes(host)).toEqual(before)
    expect(await inNode('cat /data/file /more/file')).toBe('kept\nkept\n')

    const back = await support.costOf(at, () => support.agent(host, 'rollback'))
    support.expectNoCost(back)
    expect(await support.nodeId(host)).toBe(id)
    expect(await volumes(host)).toEqual(before)
    expect(await inNode('cat /data/file /more/file')).toBe('kept\nkept\n')
  })
})

describe('a container with --rm, which Docker removes as soon as it stops', () => {
  const removedAtItsEnd = { args: ['--rm', '--volume=/data', '--label=own=mine'], policy: undefined }

  it('is replaced by another one with --rm', async () => {
    const at = await support.world(removedAtItsEnd)
    const before = await inspected(at.host)
    const cost = await upgrade(at, 'v2.6.12')
    expectUpgraded(cost)
    expect(cost.result.report.problems.map(({ code }) => code)).toEqual(['auto-remove'])
    expect(await support.containers(at.host)).toEqual(['calico-node v2.6.12 running no'])
    expect(changedFields(before, await inspected(at.host))).toEqual(newDefaults)
    expect(await volumes(at.host)).toHaveLength(1)
  })

  it('is made again, with its settings and data, where the new image fails', async () => {
    const at = await support.world(removedAtItsEnd)
    const { host } = at
    const [before, id] = [await inspected(host), await support.nodeId(host)]
    await host.ok(['docker', 'exec', 'calico-node', 'sh', '-c', 'echo kept > /data/file'])
    expectRolledBack(await upgrade(at, 'exits-at-once'))
    expect(await support.containers(host)).toEqual(['calico-node v2.6.5 running no'])
    expect(changedFields(before, await inspected(host))).toEqual({
      'Config.Labels.calico-agent.restored': [undefined, id],
    })
    expect(await host.ok(['docker', 'exec', 'calico-node', 'cat', '/data/file'])).toBe('kept\n')
    expect(await volumes(host)).toHaveLength(1)
  })
})

describe('the restart policy', () => {
  it.each([
    { policy: 'unless-stopped', is: { Name: 'unless-stopped', MaximumRetryCount: 0 } },
    { policy: 'on-failure:3', is: { Name: 'on-failure', MaximumRetryCount: 3 } },
  ])(
    '$policy is the same after a failed upgrade, and the new container’s after one',
    async ({ policy, is }) => {
      const at = await support.world({ policy })
      const { host } = at
      const id = await support.nodeId(host)
      const policyNow = async () =>
        (await host.docker.getContainer('calico-node').inspect()).HostConfig.RestartPolicy

      expectRolledBack(await upgrade(at, 'exits-at-once'))
      await support.expectAsBefore(host, id, 'v2.6.5', is.Name)
      expect(await policyNow()).toEqual(is)

      expectUpgraded(await upgrade(at, 'v2.6.12'))
      expect(await policyNow()).toEqual(is)
      expect(await support.containers(host)).toEqual([
        `calico-node v2.6.12 running ${is.Name}`,
        'calico-node-parked-RUN v2.6.5 exited no',
      ])
    },
  )
})

describe('a calico/node whose BIRD cannot be seen from the host', () => {
  it('is asked by birdcl in the container', async () => {
    const at = await support.world()
    const { host } = at
    await support.configure(host, { settle: 1, bird: { sockets: ['/run/not-shared/bird.ctl'] } })
    const { stdout } = await host.run(['agent', 'status', '--json'])
    const { bird } = JSON.parse(stdout) as StatusReport
    expect(bird).toMatchObject([{ family: 4, via: 'exec', sessions: [{ established: true }] }])

    const cost = await support.costOf(at, () =>
      support.agent(host, 'upgrade', '--node', support.image('v2.6.12')),
    )
    expectUpgraded(cost)
    expect(cost.result.report).toMatchObject({ problems: [], window: { budgetMs: 90_000 } })
    expect(cost.result.report.window?.usedMs).toBeGreaterThan(0)
  })

  it('is gated on its container alone where none runs, and that is said', async () => {
    const at = await support.world()
    const { mesh, host, peer } = at
    await host.ok(['docker', 'rm', '--force', 'calico-node'])
    await host.startNode(mesh.nodeOptions(host, { env: { CALICO_NETWORKING_BACKEND: 'none' } }))
    await support.configure(host, { settle: 1 })
    const [traffic, routes] = await Promise.all([mesh.traffic(host, peer), mesh.watchRoutes(peer)])

    const { code, report } = await support.agent(host, 'upgrade', '--node', support.image('v2.6.12'))
    expect({ code, outcome: report.outcome, window: report.window }).toEqual({
      code: 0,
      outcome: 'upgraded',
      window: null,
    })
    expect(report.problems).toMatchObject([{ code: 'no-bird', severity: 'warning' }])

    await support.configure(host, { settle: 20 })
    const failed = await support.agent(host, 'upgrade', '--node', support.image('crashes-after-3s'))
    expect(failed).toMatchObject({ code: 4, report: { outcome: 'rolled-back', window: null } })
    expect((await support.containers(host))[0]).toBe('calico-node v2.6.12 running always')
    expect(await traffic.stop()).toMatchObject({ lost: 0 })
    expect(await routes.stop()).toEqual([])
  })
})
