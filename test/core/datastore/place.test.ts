import { describe, expect, it } from 'vitest'
import { apiServerOf, datastorePlace } from '../../../agent/core/datastore/place.ts'
import { namesDatastore, settingsOfConfig, settingsOfEnv } from '../../../agent/core/datastore/settings.ts'

const placeOf = (env: string[], version: string | null = null) => datastorePlace(settingsOfEnv(env), version)

describe('the datastore of an environment', () => {
  it.each<[string[], string | null, unknown]>([
    // etcd
    [['ETCD_ENDPOINTS=http://a:2379'], null, ['ETCD_ENDPOINTS', 'http://a:2379']],
    [['ETCD_ENDPOINTS=http://a:1, https://b:2,'], null, ['ETCD_ENDPOINTS', 'http://a:1', 'https://b:2']],
    [['ETCD_ENDPOINTS=http://a:1', 'ETCD_AUTHORITY=b:2'], '2.6.5', ['ETCD_ENDPOINTS', 'http://a:1']],
    [['ETCD_ENDPOINTS=http://a:1', 'ETCD_DISCOVERY_SRV='], null, ['ETCD_ENDPOINTS', 'http://a:1']],
    [
      ['CALICO_ETCD_ENDPOINTS=http://a:1', 'ETCD_ENDPOINTS=http://b:2'],
      null,
      ['ETCD_ENDPOINTS', 'http://a:1'],
    ],
    [['ETCD_AUTHORITY=a:1'], '2.6.5', ['ETCD_AUTHORITY', 'http://a:1']],
    [['ETCD_AUTHORITY=a:1', 'ETCD_SCHEME=https'], '2.6.5', ['ETCD_AUTHORITY', 'https://a:1']],
    [['DATASTORE_TYPE=etcdv3', 'ETCD_ENDPOINTS=http://a:1'], '3.9.0', ['ETCD_ENDPOINTS', 'http://a:1']],
    [['DATASTORE_TYPE=none', 'ETCD_ENDPOINTS=http://a:1'], null, ['ETCD_ENDPOINTS', 'http://a:1']],
    // v2's default, and v3 without one
    [[], '2.6.5', ["v2's default, as no setting names one", 'http://127.0.0.1:2379']],
    [
      ['ETCD_ENDPOINTS=', 'ETCD_DISCOVERY_SRV='],
      '1.3.0',
      ["v2's default, as no setting names one", 'http://127.0.0.1:2379'],
    ],
    [['ETCD_SCHEME=https'], '2.6.5', ["v2's default, as no setting names one", 'https://127.0.0.1:2379']],
    [['DATASTORE_TYPE=etcdv2'], '2.6.5', ["v2's default, as no setting names one", 'http://127.0.0.1:2379']],
    [[], '3.0.0', null],
    [[], null, null],
    [['DATASTORE_TYPE=etcdv3'], '3.9.0', null],
    [['DATASTORE_TYPE=none'], '2.6.5', null],
    // the API server
    [
      ['DATASTORE_TYPE=kubernetes', 'K8S_API_ENDPOINT=https://a:6443', 'KUBECONFIG=/k'],
      null,
      ['K8S_API_ENDPOINT', 'https://a:6443'],
    ],
    [
      ['DATASTORE_TYPE=kubernetes', 'KUBERNETES_SERVICE_HOST=10.96.0.1', 'KUBERNETES_SERVICE_PORT=443'],
      null,
      ['KUBERNETES_SERVICE_HOST', 'https://10.96.0.1:443'],
    ],
    [
      ['CALICO_DATASTORE_TYPE=kubernetes', 'KUBERNETES_SERVICE_HOST=fd00::1', 'KUBERNETES_SERVICE_PORT=443'],
      null,
      ['KUBERNETES_SERVICE_HOST', 'https://[fd00::1]:443'],
    ],
    [['DATASTORE_TYPE=kubernetes', 'ETCD_ENDPOINTS=http://a:1'], '3.9.0', null],
    [
      ['KUBERNETES_SERVICE_HOST=10.96.0.1', 'KUBERNETES_SERVICE_PORT=443'],
      '3.26.1',
      ['KUBERNETES_SERVICE_HOST', 'https://10.96.0.1:443'],
    ],
    [
      ['KUBERNETES_SERVICE_HOST=10.96.0.1', 'KUBERNETES_SERVICE_PORT=443'],
      '2.6.5',
      ["v2's default, as no setting names one", 'http://127.0.0.1:2379'],
    ],
  ])('%j of v%s', (env, version, expected) => {
    const place = placeOf(env, version)
    expect(place && ('urls' in place ? [place.by, ...place.urls] : place)).toEqual(expected)
  })

  it('is found by DNS, or by a kubeconfig', () => {
    expect(placeOf(['ETCD_DISCOVERY_SRV=example.org'])).toEqual({
      kind: 'etcd-srv',
      by: 'ETCD_DISCOVERY_SRV',
      domain: 'example.org',
    })
    expect(placeOf(['DATASTORE_TYPE=kubernetes', 'KUBECONFIG=/etc/k'])).toEqual({
      kind: 'kubeconfig',
      by: 'KUBECONFIG',
      path: '/etc/k',
    })
  })
})

describe('the datastore of calicoctl.cfg', () => {
  const settings = (spec: object) => settingsOfConfig({ spec }, { inCluster: null })

  it('is told by the same names', () => {
    expect(datastorePlace(settings({ etcdEndpoints: 'http://a:1' }), null)).toEqual({
      kind: 'etcd',
      by: 'etcdEndpoints in /etc/calico/calicoctl.cfg',
      urls: ['http://a:1'],
    })
    const api = settings({ datastoreType: 'kubernetes', kubeconfig: '/k' })
    expect(datastorePlace(api, null)).toMatchObject({ kind: 'kubeconfig', path: '/k' })
  })

  it.each([undefined, null, 'text', [], { spec: null }, { spec: { etcdEndpoints: 7 } }])(
    'is not told by %j',
    (document) => {
      expect(namesDatastore(settingsOfConfig(document, { inCluster: null }))).toBe(false)
    },
  )
})

describe('the API server of a kubeconfig', () => {
  const cluster = (name: string) => ({ name, cluster: { server: `https://${name}:6443` } })
  const context = (name: string) => ({ name, context: { cluster: name, user: 'node' } })
  const file = { clusters: [cluster('a'), cluster('b')], contexts: [context('a'), context('b')] }

  it.each<[unknown, string | null]>([
    [{ ...file, 'current-context': 'b' }, 'https://b:6443'],
    [{ ...file, 'current-context': 'c' }, null],
    [file, null],
    [{ 'current-context': 'a', contexts: 7, clusters: {} }, null],
    [undefined, null],
  ])('of %j', (document, server) => {
    expect(apiServerOf(document)).toBe(server)
  })
})
