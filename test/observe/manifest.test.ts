import { beforeEach, describe, expect, it } from 'vitest'
import { observedDaemonSet } from '../../agent/core/kubernetes/daemon-set.ts'
import type { WantedManifest } from '../../agent/core/kubernetes/manifest.ts'
import type { ObservedManifest } from '../../agent/core/kubernetes/observed-manifest.ts'
import type { ObservedNode } from '../../agent/core/model.ts'
import { observeManifest } from '../../agent/observe/manifest.ts'
import { hostedNode } from '../core/daemon-set.ts'
import { node } from '../core/observed.ts'
import { manifestOf, markedTemplate, prepareObjects } from '../engine/hosted-manifest.ts'
import { FakeClock } from '../fakes/clock.ts'
import { FakeCluster } from '../fakes/cluster.ts'
import { awayError } from '../fakes/kubernetes.ts'

const OLD = { node: 'calico/node:v3.17.6', cni: 'calico/cni:v3.17.6' }
const wanted = manifestOf({ node: 'calico/node:v3.20.0', cni: 'calico/cni:v3.20.0' })

const looks = (node: Promise<ObservedNode | null>) => ({
  node,
  controllers: Promise.resolve({ controllers: null }),
  configMap: Promise.resolve(undefined),
})

let cluster: FakeCluster
beforeEach(() => {
  cluster = new FakeCluster('host-1', new FakeClock(), OLD)
  prepareObjects(cluster, false)
  cluster.sync()
})

async function found(manifest: WantedManifest = wanted): Promise<ObservedManifest> {
  const [pod] = cluster.pods
  if (!pod) throw new Error('there is no pod')
  const here = Promise.resolve(hostedNode(observedDaemonSet(cluster.set, pod)))
  const result = await observeManifest({ manifest }, cluster, looks(here))
  if (result === undefined || 'problem' in result) throw new Error(JSON.stringify(result))
  return result
}

describe('what a manifest would change', () => {
  it('is the template, of which the API server fills in the rest, and objects that differ or are new', async () => {
    const { daemonSet, objects, conflicts } = await found()
    expect(daemonSet).toMatchObject({ from: cluster.set.spec.template, was: cluster.set.spec.template })
    expect(daemonSet?.to).toEqual(wanted.daemonSet.template)
    expect(objects.map(({ object, before }) => [object.kind, before === null])).toEqual([
      ['ServiceAccount', true],
      ['ClusterRole', false],
    ])
    expect(conflicts).toEqual([])
  })

  it('is nothing where somebody has applied it', async () => {
    prepareObjects(cluster, true)
    cluster = new FakeCluster('host-1', new FakeClock(), OLD)
    prepareObjects(cluster, true)
    cluster.edit(({ spec }) => {
      spec.template = structuredClone(wanted.daemonSet.template)
    })
    cluster.sync()
    expect(await found()).toMatchObject({ daemonSet: null, objects: [] })
  })

  it('is this host’s pod alone where another host has begun; its template is that of its revision', async () => {
    const before = cluster.set.spec.template
    cluster.edit(({ spec }) => {
      spec.template = markedTemplate(wanted)
    })
    expect((await found()).daemonSet).toMatchObject({ from: before, was: markedTemplate(wanted) })
  })

  it('is this host’s pod alone where somebody has applied it, and its pods are older', async () => {
    const before = cluster.set.spec.template
    cluster.edit(({ spec }) => {
      spec.updateStrategy = { type: 'OnDelete' }
      spec.template = structuredClone(wanted.daemonSet.template)
    })
    expect((await found()).daemonSet).toMatchObject({ from: before, was: wanted.daemonSet.template })
  })

  it('is the Deployment as a whole where the cluster has none', async () => {
    const object = {
      apiVersion: 'apps/v1',
      kind: 'Secret',
      metadata: { name: 'controllers', namespace: 'kube-system' },
    }
    const deployment = { ...wanted.daemonSet, object }
    expect((await found({ ...wanted, deployment })).objects.map((one) => one.object)).toContainEqual(object)
  })

  it('is in conflict with what others have set', async () => {
    const role = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'calico-node' },
    }
    cluster.objects.write({ ...role, rules: [] }, 'kubectl-edit')
    cluster.edit(({ metadata, spec }) => {
      const fields = {
        'f:containers': { 'k:{"name":"calico-node"}': { 'f:env': { 'k:{"name":"MINE"}': { '.': {} } } } },
      }
      metadata.managedFields = [
        { manager: 'helm', fieldsV1: { 'f:spec': { 'f:template': { 'f:spec': fields } } } },
      ]
      spec.template.spec.containers[0]?.env?.push({ name: 'MINE', value: '1' })
    })
    expect(
      (await found()).conflicts.map(({ manager, of, field }) => `${manager} ${of.kind} ${field}`),
    ).toEqual([
      'helm DaemonSet spec.template.spec.containers["name":"calico-node"].env["name":"MINE"]',
      'kubectl-edit ClusterRole rules',
    ])
  })
})

describe('a manifest that cannot be applied here', () => {
  const look = (here = hostedNode()) =>
    observeManifest({ manifest: wanted }, cluster, looks(Promise.resolve(here)))

  it('is one for a host without a DaemonSet, or with another one', async () => {
    expect(await look(node())).toMatchObject({ problem: { code: 'manifest' } })
    const other = hostedNode({ name: 'canal' })
    expect(await look(other)).toMatchObject({
      problem: { message: expect.stringContaining("this host's pod is of kube-system/canal") as string },
    })
  })

  it('says that the API server is away', async () => {
    cluster.away = awayError()
    expect(await look()).toMatchObject({ problem: { code: 'kubernetes-unreachable' } })
  })

  it('is none where none is asked for', async () => {
    expect(await observeManifest({ manifest: null }, cluster, looks(Promise.resolve(null)))).toBeUndefined()
  })
})
