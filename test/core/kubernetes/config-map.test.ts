import { describe, expect, it } from 'vitest'
import {
  type ConfigMapObject,
  calicoMap,
  configReadsOf,
  isStale,
  keysPatch,
  observedConfigMap,
} from '../../../agent/core/kubernetes/config-map.ts'
import { CONFIG_ANNOTATION } from '../../../agent/core/kubernetes/marks.ts'
import type { PodSpec } from '../../../agent/core/kubernetes/pod.ts'
import { configMapOf } from '../daemon-set.ts'

const ref = (variable: string, name: string, key: string) => ({
  name: variable,
  valueFrom: { configMapKeyRef: { name, key } },
})
const container = (name: string, more: object = {}) => ({ name, image: `${name}:v1`, ...more })
const map = (data: Record<string, string>, metadata: object = {}): ConfigMapObject => ({
  metadata: {
    ...{ name: 'calico-config', namespace: 'kube-system', uid: 'u', resourceVersion: '7' },
    creationTimestamp: '2026-11-01T00:00:00Z',
    ...metadata,
  },
  data,
})
const wanted = { keys: { veth_mtu: '1410', log: null }, mark: 'm1' }
const reads = configReadsOf({
  containers: [container('calico-node', { env: [ref('MTU', 'calico-config', 'veth_mtu')] })],
})

describe('what pods read', () => {
  const spec: PodSpec = {
    initContainers: [container('install-cni', { env: [ref('CNI_MTU', 'calico-config', 'veth_mtu')] })],
    containers: [
      container('calico-node', {
        env: [ref('CALICO_NETWORKING_BACKEND', 'calico-config', 'calico_backend'), { name: 'A', value: 'b' }],
        envFrom: [{ configMapRef: { name: 'whole' } }, { secretRef: { name: 'no-map' } }],
      }),
    ],
    volumes: [{ configMap: { name: 'files' } }, { hostPath: { path: '/' } }],
  }

  it('is found in variables, whole ConfigMaps and files, of all containers', () => {
    const { maps, keys } = configReadsOf(spec)
    expect(maps).toEqual(['calico-config', 'whole', 'files'])
    expect(keys.map(({ variable, key }) => `${variable} ${key}`)).toEqual([
      'CNI_MTU veth_mtu',
      'CALICO_NETWORKING_BACKEND calico_backend',
    ])
  })

  it('has Calico’s ConfigMap in it: the only one, or the one of calico.yaml', () => {
    const named = (...maps: string[]) => calicoMap({ maps, keys: [] })
    expect(named('canal-config')).toBe('canal-config')
    expect(named('canal-config', 'calico-config')).toBe('calico-config')
    expect(named('a', 'b')).toBeNull()
    expect(named()).toBeNull()
  })
})

describe('the ConfigMap of a rollout', () => {
  it('is as asked, or not; keys that nobody knows are told', () => {
    const found = observedConfigMap(
      map({ veth_mtu: '1440' }),
      { keys: { veth_mtu: '1410', vet: 'x' }, mark: 'm1' },
      reads,
    )
    expect(found).toMatchObject({
      now: { veth_mtu: '1440', vet: null },
      unknown: ['vet'],
      known: ['veth_mtu'],
    })
    expect(found.before).toEqual(found.now)
  })

  it('knows what was there before an earlier host of the rollout wrote it, and no other rollout', () => {
    const before = { veth_mtu: '1500', log: null }
    const written = (mark: string) => ({
      annotations: { [CONFIG_ANNOTATION]: JSON.stringify({ mark, before }) },
    })
    expect(observedConfigMap(map({ veth_mtu: '1410' }, written('m1')), wanted, reads).before).toEqual(before)
    expect(observedConfigMap(map({ veth_mtu: '1440' }, written('m0')), wanted, reads).before).toEqual({
      veth_mtu: '1440',
      log: null,
    })
  })

  it('is written with what was there, and put back without a trace', () => {
    const found = observedConfigMap(map({ veth_mtu: '1440', log: 'info' }), wanted, reads)
    const patch = keysPatch(map({}), found) as { metadata: { annotations: Record<string, string> } }
    expect(patch).toMatchObject({ metadata: { resourceVersion: '7' }, data: { veth_mtu: '1410', log: null } })
    expect(JSON.parse(patch.metadata.annotations[CONFIG_ANNOTATION] ?? '')).toEqual({
      mark: 'm1',
      before: { veth_mtu: '1440', log: 'info' },
    })
    expect(keysPatch(map({}), { ...found, after: found.before, mark: null })).toEqual({
      metadata: { resourceVersion: '7', annotations: { [CONFIG_ANNOTATION]: null } },
      data: { veth_mtu: '1440', log: 'info' },
    })
  })
})

describe('a pod', () => {
  const [NOON, LATER] = ['2026-11-27T12:00:00Z', '2026-11-27T12:00:01Z']
  const asked = { veth_mtu: '1410' }
  const asAsked = configMapOf(asked, asked, { changedAt: NOON })

  it.each([
    [
      'the ConfigMap has other keys',
      configMapOf(asked, { veth_mtu: '1440' }),
      { mark: 'm1', createdAt: LATER },
      'm1',
      true,
    ],
    ['it was started with the config', asAsked, { config: 'm1', createdAt: NOON }, 'm1', false],
    ['its template is newer', asAsked, { createdAt: LATER }, 'm1', true],
    ['it is older than the change by hand', asAsked, { createdAt: NOON }, undefined, true],
    [
      'nobody knows when it was changed',
      configMapOf(asked, asked, { changedAt: null }),
      { createdAt: LATER },
      undefined,
      true,
    ],
    ['it is newer than the change by hand', asAsked, { createdAt: LATER }, undefined, false],
  ])('is told old from new where %s', (_, found, pod, template, expected) => {
    expect(isStale(found, pod, template)).toBe(expected)
  })
})
