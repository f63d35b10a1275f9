// The keys of the ConfigMap that calico-node's pods read: written once, and each pod started with them.

import { beforeAll, describe, expect, it } from 'vitest'
import { grant, HOSTED_RULES, type Host } from '../../lab/index.ts'
import { agent, costOf, expectNoCost, expectOutcome, expectRefused } from '../support.ts'
import {
  configureHosted,
  type HostedWorld,
  hostedWorld,
  nodeFlaws,
  podOf,
  standing,
  upgradeAtNoCost,
} from './hosted.ts'

const SYSTEM = ['-n', 'kube-system']
const CONFIG_RULES = [
  ...HOSTED_RULES,
  { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'patch'] },
  { apiGroups: ['apps'], resources: ['deployments'], verbs: ['get', 'patch'] },
]

let world: HostedWorld

beforeAll(async () => {
  world = await hostedWorld()
  const env = [{ name: 'MTU', valueFrom: { configMapKeyRef: { name: 'calico-config', key: 'veth_mtu' } } }]
  const containers = [{ name: 'calico-kube-controllers', env }]
  await world.kubernetes.kubectl([
    ...[...SYSTEM, 'patch', 'deployment', 'calico-kube-controllers'],
    ...['-p', JSON.stringify({ spec: { template: { spec: { containers } } } })],
  ])
  await world.kubernetes.untilRolledOut()
})

async function ask(configMap: Record<string, string | null>): Promise<void> {
  for (const host of [world.host, world.peer]) await configureHosted(host, { hosted: { configMap } })
}

async function keys(): Promise<Record<string, string>> {
  const { data } = await world.kubernetes.get<{ data: Record<string, string> }>([
    ...[...SYSTEM, 'configmap', 'calico-config'],
  ])
  return data
}

/** As the plugins' installer of the pod wrote it. */
async function mtuOf(host: Host): Promise<string | undefined> {
  const text = await host.readFile('/etc/cni/net.d/10-calico.conflist')
  return /"mtu": *(\d+)/.exec(text)?.[1]
}

/** As the controllers were started, on whichever host. */
async function controllersMtu(): Promise<string | undefined> {
  const label = ['io.kubernetes.container.name=calico-kube-controllers']
  for (const { docker } of [world.host, world.peer])
    for (const { Id } of await docker.listContainers({ filters: { label, status: ['running'] } })) {
      const { Config } = await docker.getContainer(Id).inspect()
      return Config.Env.find((entry) => entry.startsWith('MTU='))?.slice(4)
    }
  return undefined
}

describe('hosted.configMap', () => {
  it('is refused without the right to write it, for a key that nothing reads, and for another backend', async () => {
    await ask({ veth_mtu: '1430' })
    expectRefused(await agent(world.host, 'upgrade'), 'kubernetes-forbidden')
    await grant(world.kubernetes, CONFIG_RULES)
    await ask({ veth_mut: '1430' })
    expectRefused(await agent(world.host, 'upgrade'), 'config-map-key')
    await ask({ calico_backend: 'vxlan' })
    expectRefused(await agent(world.host, 'upgrade'), 'config-map-backend')
    expect(await keys()).toMatchObject({ veth_mtu: '1500', calico_backend: 'bird' })
  })

  it('reaches the controllers and one host after the other, and each goes back', async () => {
    const { host, peer } = world
    const since = Date.now()
    const beside = await podOf(world, peer)
    const before = await standing(world)
    await ask({ veth_mtu: '1430' })
    const first = await costOf(world, () => agent(host, 'upgrade', '--diff'))
    expectOutcome(first.result, 0, 'upgraded')
    expectNoCost(first)
    expect(first.result.report.diff).toContainEqual({
      target: 'configmap kube-system/calico-config',
      ...{ before: 'data.veth_mtu: 1500\n', after: 'data.veth_mtu: 1430\n' },
    })
    expect(await keys()).toMatchObject({ veth_mtu: '1430' })
    expect([await mtuOf(host), await mtuOf(peer), await controllersMtu()]).toEqual(['1430', '1500', '1430'])
    expect((await podOf(world, peer)).metadata.uid).toBe(beside.metadata.uid)
    expect(await standing(world)).toMatchObject({ strategy: 'OnDelete', marked: true, cordoned: 0 })
    expectOutcome(await agent(host, 'upgrade'), 0, 'unchanged')

    await upgradeAtNoCost(world, peer)
    expect(await mtuOf(peer)).toBe('1430')
    expect(await standing(world)).toEqual(before)
    expectOutcome(await agent(peer, 'upgrade'), 0, 'unchanged')

    for (const each of [peer, host]) {
      const back = await costOf(world, () => agent(each, 'rollback'))
      expectOutcome(back.result, 0, 'rolled-back')
      expectNoCost(back)
      expect(await mtuOf(each)).toBe('1500')
    }
    expect([(await keys())['veth_mtu'], await controllersMtu()]).toEqual(['1500', '1500'])
    expect(await standing(world)).toEqual(before)
    expect([...(await nodeFlaws(host, since)), ...(await nodeFlaws(peer, since))]).toEqual([])
  })

  it('that leaves BIRD without peers goes back, keys and pod', async () => {
    const { host } = world
    const since = Date.now()
    const [before, were] = [await standing(world), await keys()]
    await ask({ lab_peers: '' })
    const failed = await costOf(world, () => agent(host, 'upgrade'))
    expectOutcome(failed.result, 4, 'rolled-back')
    expectNoCost(failed)
    expect(await keys()).toEqual(were)
    expect(await standing(world)).toEqual(before)
    expect(await nodeFlaws(host, since)).toEqual([])
  })

  it('that an operator changed by hand restarts the pods that are older', async () => {
    const { host } = world
    const data = { veth_mtu: '1420' }
    await world.kubernetes.kubectl([
      ...[...SYSTEM, 'patch', 'configmap', 'calico-config', '-p', JSON.stringify({ data })],
    ])
    await ask(data)
    const run = await costOf(world, () => agent(host, 'upgrade', '--only', 'config-map'))
    expectOutcome(run.result, 0, 'upgraded')
    expectNoCost(run)
    expect([await mtuOf(host), await mtuOf(world.peer)]).toEqual(['1420', '1500'])
  })
})
