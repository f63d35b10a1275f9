import { expect, it } from 'vitest'
import { CONFIG_ANNOTATION } from '../../../agent/core/kubernetes/marks.ts'
import { type PodObject, REVISION_LABEL } from '../../../agent/core/kubernetes/pod.ts'
import { whyOfOther } from '../../../agent/core/plan/made-from.ts'

const [OLD, NEW] = ['calico/node:v3.17.6', 'calico/node:v3.20.0']
const swap: Parameters<typeof whyOfOther>[1] = {
  pod: { name: 'calico-node-1', uid: '1', node: 'host-1', revision: 'old' },
  images: [
    { list: 'containers', name: 'calico-node', from: OLD, was: OLD, to: NEW },
    { list: 'annotations', name: CONFIG_ANNOTATION, from: '', was: '', to: 'm1' },
  ],
  configMap: {
    ...{ namespace: 'kube-system', name: 'calico-config', before: {}, now: {}, mark: 'm1' },
    after: { veth_mtu: '1410', gone: null },
  },
}
const fromKey = (name: string, key: string) => ({
  name,
  valueFrom: { configMapKeyRef: { name: 'calico-config', key } },
})
const podOf = (image: string, { revision = 'new', mark = 'm1' } = {}): PodObject => ({
  metadata: {
    ...{ name: 'calico-node-2', namespace: 'kube-system', uid: '2', resourceVersion: '1' },
    labels: { [REVISION_LABEL]: revision },
    annotations: { [CONFIG_ANNOTATION]: mark },
  },
  spec: {
    containers: [{ name: 'calico-node', image, env: [fromKey('MTU', 'veth_mtu'), fromKey('GONE', 'gone')] }],
  },
})

it.each<[string, PodObject, string[] | null, string | null]>([
  ['the asked image', podOf(NEW), ['MTU=1410'], null],
  ['the same release of a mirror', podOf('mirror.example/calico/node:v3.20.0'), ['MTU=1410'], null],
  ['a digest', podOf(`calico/node@sha256:${'0'.repeat(64)}`), ['MTU=1410'], null],
  [
    'another release',
    podOf('calico/node:v3.19.0'),
    null,
    `its calico-node has calico/node:v3.19.0, not ${NEW}`,
  ],
  ['the mark of no config', podOf(NEW, { mark: 'm0' }), null, `its ${CONFIG_ANNOTATION} has m0, not m1`],
  ['the old revision', podOf(NEW, { revision: 'old' }), null, 'its controller made it from the old template'],
  [
    'the old value of a key',
    podOf(NEW),
    ['MTU=1440'],
    'its MTU is not what ConfigMap kube-system/calico-config has',
  ],
  ['an environment that nobody knows', podOf(NEW), null, null],
])('a pod with %s', (_, pod, env, expected) => {
  expect(whyOfOther(pod, swap, env)).toBe(expected)
})

it('a pod of the old revision is right where the old pod had the asked image already', () => {
  const same = { ...swap, images: swap.images.slice(0, 1).map((one) => ({ ...one, from: NEW })) }
  expect(whyOfOther(podOf(NEW, { revision: 'old' }), same, null)).toBeNull()
})
