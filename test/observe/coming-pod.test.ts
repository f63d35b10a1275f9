import { beforeEach, describe, expect, it } from 'vitest'
import type { PodObject } from '../../agent/core/kubernetes/pod.ts'
import { preflight, refusalOf } from '../../agent/core/preflight.ts'
import { observe } from '../../agent/observe/observe.ts'
import { wanted } from '../core/observed.ts'
import { FakeHost } from '../engine/fake-host.ts'
import { FakeClock } from '../fakes/clock.ts'
import { FakeCluster } from '../fakes/cluster.ts'
import { awayError } from '../fakes/kubernetes.ts'

const asked = { ...wanted, kubernetes: { cordon: true } }
const images = { node: 'calico/node:v3.20.0', cni: 'calico/cni:v3.20.0' }
let cluster: FakeCluster

beforeEach(() => {
  cluster = new FakeCluster('host-1', new FakeClock(), images)
  cluster.sync()
})

/** A host of the cluster without a container of calico/node. */
async function look(): Promise<{ code: string | undefined; message: string | undefined; outcome: string }> {
  const host = await FakeHost.create()
  host.docker.inspectContainer = () => Promise.resolve(undefined)
  const looking = { emit: () => undefined, signal: new AbortController().signal }
  const seen = await observe(asked, { ...host.ports(), kubernetes: cluster }, looking, () => null)
  const problems = preflight(seen, asked)
  const [first] = problems
  return { code: first?.code, message: first?.message, outcome: refusalOf(problems) }
}

/** What the API server says of the pods. */
function withPods(change: (pod: PodObject) => PodObject): void {
  const { pods } = cluster
  cluster.list = () => Promise.resolve(pods.map(change) as never[])
}

const withStatus = (status: PodObject['status']): void => {
  withPods((pod) => ({ ...pod, status: { phase: 'Pending', ...status } }))
}
const waiting = (reason: string) => [{ name: 'calico-node', state: { waiting: { reason } } }]
const missing = { code: 'container-missing', outcome: 'refused' }
const starting = { code: 'pod-starting', outcome: 'deferred' }

describe('a host of a DaemonSet whose container is not there', () => {
  it('is deferred, and says which pod has not started it', async () => {
    const pod = cluster.pods[0]?.metadata.name
    const message = `cannot upgrade calico-node: pod ${pod} has not started it yet`
    expect(await look()).toEqual({ ...starting, message })
  })

  it.each<[string, PodObject['status']]>([
    ['is made ready', { containerStatuses: waiting('PodInitializing') }],
    ['is created', { containerStatuses: waiting('ContainerCreating') }],
  ])('is deferred while the container %s', async (_, status) => {
    withStatus(status)
    expect(await look()).toMatchObject(starting)
  })

  it('is deferred while its pod is on its way out', async () => {
    withPods(({ metadata, ...pod }) => ({
      ...pod,
      metadata: { ...metadata, deletionTimestamp: '2026-11-28T04:00:00Z' },
      status: { phase: 'Running', containerStatuses: [{ name: 'calico-node', state: { running: {} } }] },
    }))
    expect(await look()).toMatchObject(starting)
  })

  it('is deferred while the DaemonSet replaces its pods', async () => {
    cluster.edit(({ spec }) => {
      spec.template.metadata = { annotations: { theirs: '1' } }
    })
    withPods((pod) => ({ ...pod, spec: { ...pod.spec, nodeName: 'host-2' } }))
    expect(await look()).toMatchObject({ code: 'daemonset-rolling', outcome: 'deferred' })
  })

  it.each<[string, PodObject['status']]>([
    ['cannot be pulled', { containerStatuses: waiting('ImagePullBackOff') }],
    ['ends again and again', { containerStatuses: waiting('CrashLoopBackOff') }],
    ['waits for an init container that fails', { initContainerStatuses: waiting('CrashLoopBackOff') }],
    ['is in a pod that was not taken', { phase: 'Failed' }],
    [
      'runs where it is not looked for',
      { containerStatuses: [{ name: 'calico-node', state: { running: {} } }] },
    ],
  ])('is refused where the container %s', async (_, status) => {
    withStatus(status)
    expect(await look()).toMatchObject(missing)
  })

  it('is refused where the DaemonSet has no pod for it', async () => {
    withPods((pod) => ({ ...pod, spec: { ...pod.spec, nodeName: 'host-2' } }))
    expect(await look()).toMatchObject(missing)
  })

  it('is refused where no DaemonSet has the name', async () => {
    cluster.get = () => Promise.resolve(null)
    expect(await look()).toMatchObject(missing)
  })

  it('is refused where the cluster cannot be asked for its pods', async () => {
    cluster.list = () => Promise.reject(awayError())
    expect(await look()).toMatchObject(missing)
  })
})
