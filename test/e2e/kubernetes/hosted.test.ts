// A DaemonSet keeps calico-node: the agent replaces the pod of its own host, on a real kubelet and control plane.

import { beforeAll, describe, expect, it } from 'vitest'
import type { StatusReport } from '../../../agent/core/report/status.ts'
import { type Host, until } from '../../lab/index.ts'
import { agent, costOf, expectNoCost, expectOutcome, image, lab } from '../support.ts'
import { daemonSet, type HostedWorld, hostedWorld, nodeFlaws, podOf, standing } from './hosted.ts'

const cni = (tag: string): string => lab.registry.cniImage(tag)
const [OLD, NEW] = ['v3.17.6', 'v3.20.0']
const of = (tag: string) => ({ 'install-cni': tag, 'calico-node': tag })

describe('calico-node of a DaemonSet', () => {
  let world: HostedWorld

  beforeAll(async () => {
    world = await hostedWorld({ release: OLD })
  })

  const upgrade = (host: Host) => agent(host, 'upgrade', '--node', image(NEW), '--cni', cni(NEW))

  it('is upgraded on one host after the other, and rolled back', async () => {
    const { host, peer } = world
    const since = Date.now()
    const [before, beside] = [await podOf(world, host), await podOf(world, peer)]
    const first = await costOf(world, () => upgrade(host))
    expect(first.result.report).toMatchObject({ outcome: 'upgraded', changed: true })
    expectNoCost(first)
    expect(await standing(world)).toEqual({
      ...{ template: of(NEW), host: of(NEW), peer: of(OLD) },
      ...{ strategy: 'OnDelete', marked: true, cordoned: 0 },
    })
    expect((await podOf(world, host)).metadata.uid).not.toBe(before.metadata.uid)
    expect((await podOf(world, peer)).metadata.uid).toBe(beside.metadata.uid)
    expect((await upgrade(host)).report).toMatchObject({ outcome: 'unchanged', changed: false })

    const last = await costOf(world, () => upgrade(peer))
    expect(last.result.report).toMatchObject({ outcome: 'upgraded', changed: true })
    expectNoCost(last)
    expect(await standing(world)).toEqual({
      ...{ template: of(NEW), host: of(NEW), peer: of(NEW) },
      ...{ strategy: 'RollingUpdate', marked: false, cordoned: 0 },
    })
    expect((await daemonSet(world)).spec.updateStrategy.rollingUpdate).toMatchObject({ maxUnavailable: 1 })
    expect((await upgrade(peer)).report).toMatchObject({ outcome: 'unchanged', changed: false })

    const status = JSON.parse(await host.ok(['agent', 'status', '--json'])) as StatusReport
    expect(status.node).toMatchObject({
      image: image(NEW),
      owner: { kind: 'daemonset', namespace: 'kube-system', name: 'calico-node' },
    })
    expect(await host.ok(['agent', 'history'])).toContain('upgraded')

    const back = await costOf(world, () => agent(host, 'rollback'))
    expect(back.result.report).toMatchObject({ outcome: 'rolled-back', changed: true })
    expectNoCost(back)
    expect(await standing(world)).toEqual({
      ...{ template: of(OLD), host: of(OLD), peer: of(NEW) },
      ...{ strategy: 'OnDelete', marked: true, cordoned: 0 },
    })
    expect(await nodeFlaws(host, since)).toEqual([])
    expect(await nodeFlaws(peer, since)).toEqual([])
  })
})

describe('a manifest of v2.6 whose image’s PID 1 hands TERM on to BIRD', () => {
  let world: HostedWorld
  beforeAll(async () => {
    world = await hostedWorld({ release: 'v2.6.12', node: 'term-to-bird' })
  })

  it('has the old install-cni beside calico-node again, where the new one does not start', async () => {
    const { host } = world
    const before = await standing(world)
    const cost = await costOf(world, () => agent(host, 'upgrade', '--cni', image('v2.6.12')))
    expectOutcome(cost.result, 4, 'rolled-back')
    expect(cost.result.report.problems[0]?.message).toMatch(/install-cni/)
    expectNoCost(cost)
    expect(await standing(world)).toEqual(before)
  })

  it('loses packets by kubectl delete, and none by the agent', async () => {
    const { host, peer, kubernetes } = world
    const since = Date.now()
    const upgraded = await costOf(world, () => agent(host, 'upgrade', '--node', image('v2.6.12')))
    expect(upgraded.result.report).toMatchObject({ outcome: 'upgraded' })
    expectNoCost(upgraded)
    expect(await nodeFlaws(host, since)).toEqual([])

    const { metadata } = await podOf(world, peer)
    const deleted = await costOf({ ...world, host: peer, peer: host }, async () => {
      await kubernetes.kubectl(['-n', 'kube-system', 'delete', 'pod', metadata.name])
      // with a grace period of 0, the pod is gone before the kubelet has heard of it
      const isReplaced = async (): Promise<boolean> => {
        const { metadata: next, status } = await podOf(world, peer)
        return next.uid !== metadata.uid && status?.containerStatuses?.[0]?.state?.running !== undefined
      }
      await until('the next calico-node', isReplaced)
    })
    expect(deleted.traffic.lost).toBeGreaterThan(0)
    expect(await nodeFlaws(peer, since)).toContainEqual(expect.stringMatching(/^signal 15 to a calico-node/))
  })
})
