import { describe, expect, it } from 'vitest'
import { endpointOf, withExtraHosts } from '../../../agent/core/datastore/endpoint.ts'

const parts = (url: string) => {
  const endpoint = endpointOf(url)
  return endpoint && [endpoint.tls, endpoint.host, endpoint.port, endpoint.shown]
}

describe('endpointOf', () => {
  it.each<[string, unknown]>([
    ['http://10.0.0.1:2379', [false, '10.0.0.1', 2379, 'http://10.0.0.1:2379']],
    [
      'https://etcd-1.example.org:2379/',
      [true, 'etcd-1.example.org', 2379, 'https://etcd-1.example.org:2379'],
    ],
    ['HTTPS://a:1', [true, 'a', 1, 'HTTPS://a:1']],
    ['https://api.example.org', [true, 'api.example.org', 443, 'https://api.example.org']],
    ['http://etcd', [false, 'etcd', 80, 'http://etcd']],
    ['http://[2001:db8::1]:2379', [false, '2001:db8::1', 2379, 'http://[2001:db8::1]:2379']],
    ['10.0.0.1:2379', [false, '10.0.0.1', 2379, '10.0.0.1:2379']],
    ['https://a:6443/k8s/clusters/c-1?x=1', [true, 'a', 6443, 'https://a:6443']],
    // no secret is shown
    ['http://user:pa/ss@word@a:2379', [false, 'a', 2379, 'http://a:2379']],
    ['https://token@a:2379', [true, 'a', 2379, 'https://a:2379']],
    // what cannot be dialled from here
    ['unix:///run/etcd.sock', null],
    ['unixs://localhost:1', null],
    ['http://', null],
    ['a', null],
    ['http://a:0', null],
    ['http://a:65536', null],
    ['http://a:port', null],
    ['', null],
  ])('%s', (url, expected) => {
    expect(parts(url)).toEqual(expected)
  })
})

describe('what docker run --add-host names', () => {
  const endpoint = { shown: 'https://etcd:2379', host: 'etcd', port: 2379, tls: true }
  it.each<[unknown, string]>([
    [['etcd:192.0.2.9'], '192.0.2.9'],
    [['other:192.0.2.8', 'etcd:2001:db8::1'], '2001:db8::1'],
    [['etcd=[2001:db8::1]'], '2001:db8::1'],
    [['etcd2:192.0.2.9'], 'etcd'],
    [null, 'etcd'],
    [undefined, 'etcd'],
  ])('%j', (extraHosts, host) => {
    expect(withExtraHosts(endpoint, extraHosts)).toEqual({ ...endpoint, host })
  })
})
