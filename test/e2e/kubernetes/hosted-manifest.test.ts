// `hosted.manifest`: the whole of a calico.yaml, one host after the other, on a real API server.

import { beforeAll, describe, expect, it } from 'vitest'
import type { AnyObject } from '../../../agent/core/kubernetes/manifest.ts'
import type { Host } from '../../lab/index.ts'
import { ANYTHING, grant } from '../../lab/index.ts'
import { agent, costOf, expectNoCost, expectOutcome, expectRefused } from '../support.ts'
import {
  configureHosted,
  daemonSet,
  editDaemonSet,
  type HostedWorld,
  hostedWorld,
  nodeFlaws,
  podOf,
  standing,
  upgradeAtNoCost,
} from './hosted.ts'

const [OLD, NEW] = ['v3.17.6', 'v3.20.0']
const PATH = '/etc/calico-agent/calico.yaml'
const EXTRA = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: 'calico-extra' },
  rules: [{ apiGroups: [''], resources: ['endpoints'], verbs: ['get'] }],
}

let world: HostedWorld

beforeAll(async () => {
  world = await hostedWorld({ release: OLD, env: { FELIX_ONLYBEFORE: 'true' } })
  await world.kubernetes.kubectl(['delete', 'clusterrole', EXTRA.metadata.name, '--ignore-not-found'])
  await grant(world.kubernetes, ANYTHING)
})

/** A calico.yaml on each host: another release and environment, a key of the ConfigMap, a role that may more. */
async function askFor(release: string, tags: { node?: string } = {}): Promise<void> {
  const { mesh, kubernetes } = world
  const config = { veth_mtu: '1440' }
  const objects = kubernetes.calicoManifest({
    hosts: mesh.hosts,
    release,
    env: { FELIX_ONLYNOW: 'true' },
    config,
    ...tags,
  })
  const role = (objects as AnyObject[]).find(
    ({ kind, metadata }) => kind === 'ClusterRole' && metadata.name === 'calico-node',
  )
  if (role) role['rules'] = [...(role['rules'] as object[]), ...EXTRA.rules]
  const text = [...objects, EXTRA].map((object) => JSON.stringify(object, null, 2)).join('\n---\n')
  for (const host of mesh.hosts) {
    await host.writeFile(PATH, text, 0o600)
    await configureHosted(host, { hosted: { manifest: PATH } })
  }
}

const variablesOf = async (host: Host): Promise<string[]> => {
  const [container] = (await podOf(world, host)).spec.containers
  return (container?.env ?? []).map(({ name }) => name).filter((name) => name.startsWith('FELIX_ONLY'))
}

const rolesOfNode = async (): Promise<number> => {
  const { rules } = await world.kubernetes.get<{ rules: object[] }>(['clusterrole', 'calico-node'])
  return rules.length
}

const roleNow = (): Promise<string> =>
  world.kubernetes.kubectl(['get', 'clusterrole', EXTRA.metadata.name, '--ignore-not-found', '-o', 'name'])

describe('hosted.manifest', () => {
  it('is planned field by field, and changes nothing before', async () => {
    const { host } = world
    await askFor(NEW)
    const before = await standing(world)
    const { code, stdout } = await host.run(['agent', 'plan', '--diff'])
    expect({ code, stdout }).toMatchObject({ code: 0 })
    expect(stdout).toContain('clusterrole calico-extra')
    expect(stdout).toMatch(/-.*FELIX_ONLYBEFORE\]: true/)
    expect(stdout).toMatch(/\+.*FELIX_ONLYNOW\]: true/)
    expect(stdout).toContain('data.veth_mtu: 1440')
    expect(await standing(world)).toEqual(before)
    expect(await roleNow()).toBe('')
  })

  it('brings all of it to one host after the other, at no cost', async () => {
    const { host, peer } = world
    const since = Date.now()
    const [before, beside] = [await standing(world), await podOf(world, peer)]
    await upgradeAtNoCost(world, host)
    expect(await variablesOf(host)).toEqual(['FELIX_ONLYNOW'])
    expect(await roleNow()).not.toBe('')
    expect(await rolesOfNode()).toBe(4)
    expect((await podOf(world, peer)).metadata.uid).toBe(beside.metadata.uid)
    expect(await standing(world)).toMatchObject({ strategy: 'OnDelete', marked: true, cordoned: 0 })
    expectOutcome(await agent(host, 'upgrade'), 0, 'unchanged')

    await upgradeAtNoCost(world, peer)
    expect(await variablesOf(peer)).toEqual(['FELIX_ONLYNOW'])
    expect(await standing(world)).toMatchObject({
      strategy: (before as { strategy: string }).strategy,
      marked: false,
    })
    expectOutcome(await agent(peer, 'upgrade'), 0, 'unchanged')
    expect([...(await nodeFlaws(host, since)), ...(await nodeFlaws(peer, since))]).toEqual([])
  })

  it('goes back with its pods; what it granted stays, and is said', async () => {
    for (const each of [world.peer, world.host]) {
      const back = await costOf(world, () => agent(each, 'rollback'))
      expectOutcome(back.result, 0, 'rolled-back')
      expectNoCost(back)
      expect(await variablesOf(each)).toEqual(['FELIX_ONLYBEFORE'])
    }
    const { spec, metadata } = await daemonSet(world)
    expect(spec.template.spec.containers[0]?.env?.map(({ name }) => name)).toContain('FELIX_ONLYBEFORE')
    expect([spec.updateStrategy.type, metadata.annotations?.['calico-agent/template']]).toEqual([
      'RollingUpdate',
      undefined,
    ])
    expect(await rolesOfNode()).toBe(4)
  })

  it('of an image that does not work is taken back whole', async () => {
    const { host } = world
    await world.kubernetes.applyCalico({
      hosts: world.mesh.hosts,
      release: OLD,
      env: { FELIX_ONLYBEFORE: 'true' },
    })
    await world.kubernetes.untilRolledOut()
    await world.mesh.untilSettled()
    await askFor(NEW, { node: 'no-bird' })
    const before = await standing(world)
    const failed = await costOf(world, () => agent(host, 'upgrade', '--allow', 'downgrade'))
    expectOutcome(failed.result, 4, 'rolled-back')
    expectNoCost(failed)
    expect(await standing(world)).toEqual(before)
    expect(await variablesOf(host)).toEqual(['FELIX_ONLYBEFORE'])
    expect(await rolesOfNode()).toBe(3)
  })

  it('takes nothing that somebody else has set, unless that is allowed', async () => {
    const { host } = world
    await askFor(NEW)
    const env = [{ name: 'FELIX_OPERATORS', value: '1' }]
    await editDaemonSet(world, { spec: { updateStrategy: { type: 'OnDelete', rollingUpdate: null } } })
    await editDaemonSet(world, {
      spec: { template: { spec: { containers: [{ name: 'calico-node', env }] } } },
    })
    const refused = await agent(host, 'upgrade')
    expectRefused(refused, 'manifest-conflict')
    expect(refused.report.problems[0]?.message).toContain(
      'containers["name":"calico-node"].env["name":"FELIX_OPERATORS"]',
    )
    const { code, stdout } = await host.run(['agent', 'plan', '--allow', 'manifest-conflict'])
    expect({ code, stdout }).toMatchObject({ code: 0 })
  })
})
