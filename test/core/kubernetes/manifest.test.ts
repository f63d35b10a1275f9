import { describe, expect, it } from 'vitest'
import {
  type AnyObject,
  asWritten,
  refText,
  wantedManifest as sorted,
} from '../../../agent/core/kubernetes/manifest.ts'

const PATH = '/etc/calico-agent/calico.yaml'
const wantedManifest = (path: string, objects: AnyObject[]) => sorted(path, objects, JSON.stringify)
const object = (kind: string, name: string, more: object = {}): AnyObject => ({
  ...{ apiVersion: 'v1', kind, metadata: { name, namespace: 'kube-system' } },
  ...more,
})
const workload = (
  kind: string,
  name: string,
  containers: object[],
  initContainers: object[] = [],
): AnyObject =>
  object(kind, name, { apiVersion: 'apps/v1', spec: { template: { spec: { containers, initContainers } } } })

const env = [{ name: 'MTU', valueFrom: { configMapKeyRef: { name: 'calico-config', key: 'veth_mtu' } } }]
const node = workload(
  'DaemonSet',
  'calico-node',
  [{ name: 'calico-node', image: 'quay.io/calico/node:v3.20.0', env }],
  [
    { name: 'install-cni', image: 'quay.io/calico/cni:v3.20.0' },
    { name: 'flexvol-driver', image: 'quay.io/calico/pod2daemon-flexvol:v3.20.0' },
  ],
)
const controllers = workload('Deployment', 'calico-kube-controllers', [
  { name: 'calico-kube-controllers', image: 'quay.io/calico/kube-controllers:v3.20.0' },
])
const typha = workload('Deployment', 'calico-typha', [
  { name: 'calico-typha', image: 'calico/typha:v3.20.0' },
])
const config = object('ConfigMap', 'calico-config', { data: { veth_mtu: '1440' } })
const others = [
  object('ClusterRoleBinding', 'b'),
  object('ClusterRole', 'r'),
  object('CustomResourceDefinition', 'd'),
]

describe('what a manifest asks for', () => {
  it('is the pods of Calico, their config, and all else in the order of what needs it', () => {
    const wanted = wantedManifest(PATH, [config, ...others, node, typha, controllers])
    expect(wanted).toMatchObject({
      path: PATH,
      daemonSet: { image: 'quay.io/calico/node:v3.20.0' },
      cniImage: 'quay.io/calico/cni:v3.20.0',
      flexvolImage: 'quay.io/calico/pod2daemon-flexvol:v3.20.0',
      deployment: { image: 'quay.io/calico/kube-controllers:v3.20.0' },
      configMap: { data: { veth_mtu: '1440' } },
    })
    expect(wanted.objects.map((one) => one.metadata.name)).toEqual(['d', 'r', 'b', 'calico-typha'])
  })

  it('may be a node alone, whose image has the name of a mirror', () => {
    const mirrored = workload('DaemonSet', 'calico', [
      { name: 'calico-node', image: 'mirror/calico:v3.20.0' },
    ])
    expect(wantedManifest(PATH, [mirrored])).toMatchObject({
      ...{ cniImage: null, flexvolImage: null, deployment: null, configMap: null, objects: [] },
      daemonSet: { image: 'mirror/calico:v3.20.0' },
    })
  })

  it('has a mark for each template, which other objects do not change', () => {
    const one = wantedManifest(PATH, [node, controllers])
    const more = wantedManifest(PATH, [node, controllers, ...others])
    expect(more.daemonSet.mark).toBe(one.daemonSet.mark)
    expect(more.mark).not.toBe(one.mark)
    expect(one.daemonSet.mark).not.toBe(one.deployment?.mark)
  })

  it.each([
    ['no calico/node', [controllers], 'it has no DaemonSet of calico/node'],
    ['two', [node, node], 'it has 2 objects of kind DaemonSet with calico/node'],
    [
      'a DaemonSet without a template',
      [object('DaemonSet', 'calico-node')],
      'it has no DaemonSet of calico/node',
    ],
  ])('is refused with %s', (_, objects, message) => {
    expect(() => wantedManifest(PATH, objects)).toThrow(message)
  })
})

it('names an object as kubectl does', () => {
  expect(refText({ kind: 'ClusterRole', name: 'calico-node' })).toBe('clusterrole calico-node')
  expect(refText({ kind: 'ConfigMap', namespace: 'kube-system', name: 'x' })).toBe('configmap kube-system/x')
})

it('compares objects without what the API server writes', () => {
  const metadata = { ...config.metadata, uid: '1', resourceVersion: '2', generation: 3, managedFields: [] }
  expect(asWritten({ ...config, metadata, status: {} })).toEqual(asWritten(config))
})
