import { describe, expect, it } from 'vitest'
import { CORDON_ANNOTATION, clusterNode } from '../../agent/core/kubernetes/node.ts'
import { awayError, type FakeKubernetes, UID } from '../fakes/kubernetes.ts'
import { brokenBirds } from './broken-birds.ts'
import { FakeHost, type HostOptions } from './fake-host.ts'

async function hostInCluster(
  options: HostOptions = {},
): Promise<{ host: FakeHost; cluster: FakeKubernetes }> {
  const host = await FakeHost.create({ inCluster: true, ...options })
  if (!host.cluster) throw new Error('no cluster')
  return { host, cluster: host.cluster }
}

/** Somebody acts in the moment in which the old node is killed. */
function onKill(host: FakeHost, act: () => void): void {
  host.agent.onMove = (_move, what) => {
    if (what === 'killContainer') act()
  }
}

const failing = brokenBirds['a BIRD whose sessions never come']

describe('the cordon of a run', () => {
  it('lasts from the first move to the commit', async () => {
    const { host, cluster } = await hostInCluster()
    const kinds = (await host.plan()).steps.map(({ kind }) => kind)
    expect(kinds).toEqual([
      'pull-image',
      'create-container',
      'cordon',
      'swap-container',
      'commit',
      'uncordon',
    ])
    expect(await host.run()).toBe('upgraded')
    expect(cluster.ops).toEqual(['calico-agent: cordoned', 'calico-agent: schedulable'])
    expect(cluster.node.metadata.annotations).toEqual({})
    expect(await host.flaws('upgraded')).toEqual([])
  })

  it('is taken back with the rest', async () => {
    const { host, cluster } = await hostInCluster(failing)
    expect(await host.run()).toBe('rolled-back')
    expect(clusterNode(cluster.node)).toMatchObject({ unschedulable: false, run: null })
  })

  it('leaves a Node that an operator had cordoned as it is, and names who', async () => {
    const { host, cluster } = await hostInCluster()
    cluster.setUnschedulable(true, 'kubectl')
    expect(await host.run()).toBe('upgraded')
    expect(cluster.ops).toEqual(['kubectl: cordoned'])
    expect(host.agent.state()?.problems).toMatchObject([{ code: 'cordoned-before' }])
  })

  it('leaves a Node that an operator cordons anew in the middle', async () => {
    const { host, cluster } = await hostInCluster()
    onKill(host, () => {
      cluster.setUnschedulable(false, 'kubectl')
      cluster.setUnschedulable(true, 'kubectl')
    })
    expect(await host.run()).toBe('upgraded')
    expect(clusterNode(cluster.node)).toMatchObject({ unschedulable: true, cordonedBy: 'kubectl' })
    expect(cluster.node.metadata.annotations).toEqual({})
  })

  it('is the operator’s once its annotation is removed', async () => {
    const { host, cluster } = await hostInCluster()
    onKill(host, () => {
      cluster.annotate(CORDON_ANNOTATION, null)
    })
    expect(await host.run()).toBe('upgraded')
    expect(clusterNode(cluster.node).unschedulable).toBe(true)
  })

  it('is asked for again where the Node was changed in the same moment', async () => {
    const { host, cluster } = await hostInCluster()
    let others = 3
    cluster.beforePatch = () => {
      if (others-- > 0) cluster.annotate('somebody', String(others))
    }
    expect(await host.run()).toBe('upgraded')
    expect(clusterNode(cluster.node).unschedulable).toBe(false)
  })

  it('is refused with the host untouched where the API server went away meanwhile', async () => {
    const { host, cluster } = await hostInCluster()
    host.agent.onMove = () => {
      cluster.away = awayError()
    }
    expect(await host.run()).toBe('refused')
    expect(host.ops).not.toContainEqual(expect.stringContaining('kill'))
  })

  it('never stops the window: an API server that goes away leaves an uncordon pending', async () => {
    const { host, cluster } = await hostInCluster()
    onKill(host, () => {
      cluster.away = awayError()
    })
    expect(await host.run()).toBe('upgraded')
    expect(host.agent.state()).toMatchObject({
      uncordonPending: true,
      problems: [{ code: 'uncordon-pending' }],
    })
  })

  it('goes on where that is allowed and the API server went away meanwhile, and warns once', async () => {
    const { host, cluster } = await hostInCluster({
      asked: { image: 'calico/node:v2.6.12', label: '2.6.12', allow: ['kubernetes-unreachable'] },
    })
    host.agent.onMove = () => {
      cluster.away = awayError()
    }
    expect(await host.run()).toBe('upgraded')
    expect(host.agent.state()?.problems.map(({ code }) => code)).toEqual([
      'kubernetes-unreachable',
      'uncordon-pending',
    ])
  })

  it('is over where the Node was deleted meanwhile', async () => {
    const { host, cluster } = await hostInCluster()
    onKill(host, () => void cluster.remove({ kind: 'Node', name: 'host-1' }, UID))
    expect(await host.run()).toBe('upgraded')
    expect(host.agent.state()).toMatchObject({ uncordonPending: false, problems: [] })
  })
})
