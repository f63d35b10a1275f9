import { beforeEach, describe, expect, it } from 'vitest'
import { AgentError } from '../../agent/core/errors.ts'
import { observeDatastore } from '../../agent/observe/datastore.ts'
import { container } from '../core/observed.ts'
import { FakeDatastore } from '../fakes/datastore.ts'

let datastore: FakeDatastore
let files: Map<string, string | AgentError>
beforeEach(() => {
  datastore = new FakeDatastore()
  files = new Map()
})

function ports() {
  const readContainerFile = (_: string, path: string) => {
    const file = files.get(path)
    return file instanceof AgentError ? Promise.reject(file) : Promise.resolve(file)
  }
  return { datastore, docker: { readContainerFile } }
}

const withEnv = (Env: string[], HostConfig = {}) =>
  container({ Config: { Image: 'calico/node:v2.6.5', Env }, HostConfig })

const look = (Env: string[], HostConfig = {}) =>
  observeDatastore({ container: withEnv(Env, HostConfig), image: null }, ports())

const ETCD = ['ETCD_ENDPOINTS=http://user:pw@a:2379,https://b:2379']

describe('the look at the datastore', () => {
  it('dials every endpoint', async () => {
    datastore.away.set('a:2379', 'connection refused')
    expect(await look(ETCD)).toEqual({
      kind: 'etcd',
      by: 'ETCD_ENDPOINTS',
      endpoints: [
        { shown: 'http://a:2379', failure: 'connection refused' },
        { shown: 'https://b:2379', failure: null },
      ],
    })
    expect(datastore.dialled).toEqual(['a:2379', 'tls b:2379'])
  })

  it('goes where docker run --add-host leads', async () => {
    await look(['ETCD_ENDPOINTS=http://etcd:2379'], { NetworkMode: 'host', ExtraHosts: ['etcd:192.0.2.9'] })
    expect(datastore.dialled).toEqual(['192.0.2.9:2379'])
  })

  it('finds etcd by DNS, with TLS and without', async () => {
    datastore.records.set('_etcd-client._tcp.example.org', [{ host: 'a.example.org.', port: 2379 }])
    datastore.records.set('_etcd-client-ssl._tcp.example.org', [{ host: 'b.example.org', port: 2379 }])
    await look(['ETCD_DISCOVERY_SRV=example.org'])
    expect(datastore.dialled).toEqual(['tls b.example.org:2379', 'a.example.org:2379'])
  })

  it('fails where DNS knows none', async () => {
    expect((await look(['ETCD_DISCOVERY_SRV=example.org']))?.endpoints).toEqual([
      { shown: '_etcd-client._tcp.example.org', failure: expect.stringContaining('SRV') as string },
    ])
  })

  it('reads a mounted calicoctl.cfg where the environment names none', async () => {
    files.set('/etc/calico/calicoctl.cfg', '{"spec":{"etcdEndpoints":"https://c:2379"}}')
    await look(['NODENAME=host-1'])
    await look(ETCD)
    expect(datastore.dialled).toEqual(['tls c:2379', 'a:2379', 'tls b:2379'])
  })

  it('reads the kubeconfig in the container', async () => {
    const kubeconfig = {
      'current-context': 'x',
      contexts: [{ name: 'x', context: { cluster: 'y' } }],
      clusters: [{ name: 'y', cluster: { server: 'https://api:6443' } }],
    }
    files.set('/etc/k', JSON.stringify(kubeconfig))
    expect(await look(['DATASTORE_TYPE=kubernetes', 'KUBECONFIG=/etc/k'])).toEqual({
      kind: 'kubernetes',
      by: 'KUBECONFIG',
      endpoints: [{ shown: 'https://api:6443', failure: null }],
    })
  })

  it('takes the default of v2 where nothing names another', async () => {
    await look(['NODENAME=host-1'])
    expect(datastore.dialled).toEqual(['127.0.0.1:2379'])
  })

  it.each<[string, string[], object]>([
    ['a kubeconfig that is not there', ['DATASTORE_TYPE=kubernetes', 'KUBECONFIG=/etc/k'], {}],
    ['an endpoint that cannot be dialled from here', ['ETCD_ENDPOINTS=http://a:1,unix:///x'], {}],
    ['another network than the host’s', ETCD, { NetworkMode: 'bridge' }],
    ['another kind of datastore', ['DATASTORE_TYPE=other'], {}],
  ])('cannot tell with %s', async (_, env, host) => {
    expect(await look(env, host)).toBeNull()
    expect(datastore.dialled).toEqual([])
  })

  it('cannot tell by a file that cannot be read', async () => {
    files.set('/etc/k', new AgentError('file-too-large', 'too large', { fix: 'none' }))
    expect(await look(['DATASTORE_TYPE=kubernetes', 'KUBECONFIG=/etc/k'])).toBeNull()
  })
})
