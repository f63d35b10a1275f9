// A node whose container runtime is containerd, beside one with Docker: the agents of scripts/kubernetes on both.

import { afterAll, beforeAll, expect, it } from 'vitest'
import { createKubernetes } from '../../../agent/adapters/kubernetes/kubernetes.ts'
import { createPodRuntime } from '../../../agent/adapters/pods/pods.ts'
import { runtimeContract } from '../../contract/runtime-contract.ts'
import { rows, section, textOf } from '../../docs/markdown.ts'
import { type Host, kubeconfigHere, until } from '../../lab/index.ts'
import { costOf, expectNoCost, expectOutcome, expectRefused, image, lab } from '../support.ts'
import { agentInPod, publishImage, removeAgent, takeAway, typeLines } from './agent-pods.ts'
import { type HostedWorld, podOf, standing } from './hosted.ts'

// its PID 1 hands TERM on to BIRD
const [OLD, NEW] = ['term-to-bird', 'v2.6.12']

let world: HostedWorld
const agent = (...args: string[]) => agentInPod(world.kubernetes, world.host, ...args)
const upgrade = (tag: string) => agent('upgrade', '--node', image(tag))

beforeAll(async () => {
  const mesh = lab.workerMesh()
  const [host, peer] = mesh.hosts as [Host, Host]
  const kubernetes = lab.kubernetes()
  world = { mesh, host, peer, kubernetes }
  await kubernetes.start()
  await removeAgent(kubernetes)
  await kubernetes.clear()
  const agentImage = await publishImage(peer)
  await kubernetes.resetHosted(mesh, { release: NEW, node: OLD }, ({ name }) =>
    name === host.name ? 'containerd' : 'docker',
  )
  await typeLines(kubernetes, '## Install it', { image: agentImage, line: '# no target' })
})

afterAll(async () => {
  await removeAgent(world.kubernetes)
  await world.kubernetes.kill()
})

/** Pods that pull an image, and that nobody has removed. */
async function pullPods(): Promise<string> {
  return await world.kubernetes.kubectl(['get', 'pods', '-A', '-l', 'app=calico-agent-pull', '-o', 'name'])
}

/** What must stay where a run is refused. */
async function untouched(): Promise<unknown> {
  const { metadata, status } = await podOf(world, world.host)
  return [await standing(world), metadata.uid, status?.containerStatuses?.[0]?.containerID, await pullPods()]
}

it('is refused an image that the kubelet cannot pull, and says why, with nothing changed', async () => {
  const before = await untouched()
  const refused = await upgrade('v0.0.0')
  expectRefused(refused, 'image-not-found')
  expect(refused.report.problems[0]?.message).toMatch(/the kubelet says ErrImagePull: .*v0\.0\.0: not found/)
  expect(await untouched()).toEqual(before)
})

const rights = rows(section(textOf('docs/in-cluster.md'), '### Further rights'))
  .filter(([resource]) => resource === '`pods`')
  .flatMap(([resource = '', namespace = '', , verbs = '']) =>
    verbs
      .replaceAll('`', '')
      .split(' ')
      .map((verb) => ({
        resource: resource.replaceAll('`', ''),
        namespace: namespace.replaceAll('`', ''),
        verb,
      })),
  )

it.each(rights)('changes nothing without the right to $verb $resource, and names it', async (right) => {
  const before = await untouched()
  const restore = await takeAway(world.kubernetes, right)
  try {
    const refused = await upgrade(NEW)
    expectRefused(refused, 'kubernetes-forbidden')
    expect(refused.report.problems[0]?.fix).toContain(`--verb=${right.verb} --resource=${right.resource}`)
  } finally {
    await restore()
  }
  expect(await untouched()).toEqual(before)
})

it('is upgraded without a packet lost, and knows it', async () => {
  const { metadata } = await podOf(world, world.host)
  const cost = await costOf(world, () => upgrade(NEW))
  expectOutcome(cost.result, 0, 'upgraded')
  expectNoCost(cost)
  expect((await podOf(world, world.host)).metadata.uid).not.toBe(metadata.uid)
  expect(await standing(world)).toMatchObject({
    template: { 'calico-node': NEW },
    host: { 'calico-node': NEW },
    peer: { 'calico-node': OLD },
    cordoned: 0,
  })
  expect(await pullPods()).toBe('')
  expectOutcome(await upgrade(NEW), 0, 'unchanged')
})

it('gets its image back where another one does not stay up', async () => {
  const cost = await costOf(world, () => upgrade('exits-at-once'))
  expectOutcome(cost.result, 4, 'rolled-back')
  expectNoCost(cost)
  expect(cost.result.report.problems[0]?.message).toMatch(
    /exited(?: with code \d+|, and its exit code is not known).*the end of its log/,
  )
  expect(await standing(world)).toMatchObject({
    template: { 'calico-node': NEW },
    host: { 'calico-node': NEW },
    cordoned: 0,
  })
})

/** Of the contract: it runs until it is killed, on the node with containerd. */
const contractPod = (name: string): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', labels: { contract: 'runtime' } },
  spec: {
    nodeName: world.host.name,
    hostNetwork: true,
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: 0,
    containers: [{ name: 'contract', image: image(NEW), command: ['/bin/busybox', 'sleep', '1000000'] }],
  },
})

runtimeContract('the pods of a node with containerd', async () => {
  const { kubernetes: cluster, host } = world
  const here = await kubeconfigHere(cluster)
  const kubernetes = createKubernetes({ kubeconfig: here.kubeconfig, inCluster: false, node: host.name })
  // this machine sees the processes of its hosts
  const runtime = createPodRuntime({
    kubernetes,
    namespace: () => Promise.resolve('default'),
    root: host.root,
    init: host.pid,
  })
  const label = 'io.kubernetes.container.name=contract'
  return {
    ...{ runtime, label, networkMode: 'host', file: { path: '/etc/hostname', text: `${host.name}\n` } },
    pullable: image('v2.6.5'),
    missing: image('v0.0.0'),
    async start() {
      const name = `contract-${Date.now()}`
      await cluster.apply(contractPod(name))
      await cluster.kubectl(['wait', '--for=condition=Ready', `pod/${name}`, '--timeout=60s'])
      const [found] = await runtime.listContainers(label)
      return found?.id ?? ''
    },
    async dispose() {
      await cluster.kubectl(['delete', 'pods', '-l', 'contract=runtime', '--force', '--grace-period=0'])
      const isGone = async (): Promise<boolean> => (await runtime.listContainers(label)).length === 0
      // the kubelet removes what is left of a dead container once a minute
      await until('the pod to be gone', isGone, { timeoutMs: 180_000, everyMs: 100 })
      await here.close()
    },
  }
})
