import { expect, it } from 'vitest'
import type { PodObject } from '../../agent/core/kubernetes/pod.ts'
import { killDoomed, withKeptDown } from '../../agent/steps/daemon-set/kill-pod.ts'
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

it('what the kubelet starts in a deleted pod is killed while the work goes on, and nothing else', async () => {
  const host = await HostedHost.create()
  const { clock, docker, kubelet, cluster } = host
  const [own] = cluster.pods
  const swap = (await host.plan()).steps.find((step) => step.kind === 'swap-pod')
  if (!own || !swap) throw new Error('there is no swap')
  const deleted = structuredClone(own)
  Object.assign(deleted.metadata, { name: 'calico-node-0', uid: 'deleted' })
  kubelet.added(deleted)
  const context = {
    ...host.ports(),
    ...{ emit: () => undefined, signal: new AbortController().signal, index: 0, since: 0 },
  }
  const work = clock.sleep(1_500).then(() => 'done')
  expect(await withKeptDown(work, new Set(['deleted']), swap.args, context)).toBe('done')
  const running = await docker.listContainers('io.kubernetes.container.name=calico-node')
  const uids = running
    .filter(({ state }) => state === 'running')
    .map(({ labels }) => labels['io.kubernetes.pod.uid'])
  expect(host.ops.filter((op) => op.includes('kill k8s_calico-node_calico-node-0'))).not.toEqual([])
  expect(uids).toEqual([own.metadata.uid])
})
