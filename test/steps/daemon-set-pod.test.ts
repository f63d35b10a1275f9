import { expect, it } from 'vitest'
import type { PodObject } from '../../agent/core/kubernetes/pod.ts'
import { killDoomed } from '../../agent/steps/daemon-set/pod.ts'
import { HostedHost } from '../engine/hosted-host.ts'

it.each([
  ['calico-node-windows', false],
  ['calico-node', true],
])('of pods that are not alive, one of DaemonSet %s is killed: %s', async (owner, isKilled) => {
  const host = await HostedHost.create()
  const [own] = host.cluster.pods
  const name = 'calico-node-windows-1'
  const pod = structuredClone(own) as PodObject
  pod.metadata = { ...pod.metadata, name, uid: 'uid-other' }
  pod.metadata.ownerReferences = [{ kind: 'DaemonSet', name: owner, controller: true }]
  const swap = (await host.plan()).steps.find((step) => step.kind === 'swap-pod')
  host.cluster.get = (ref) => Promise.resolve((ref.name === name ? pod : null) as never)
  host.kubelet.added(pod)
  await host.clock.sleep(5_000)
  if (!swap) throw new Error('there is no swap')
  expect(await killDoomed(swap.args, [own?.metadata.uid ?? ''], host.ports())).toBe(isKilled)
})
