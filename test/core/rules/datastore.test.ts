import { describe, expect, it } from 'vitest'
import type { ObservedDatastore } from '../../../agent/core/datastore/observed.ts'
import { preflight, preflightWithoutImage } from '../../../agent/core/preflight.ts'
import { digest, newImage, node, observed, wanted } from '../observed.ts'

const etcd = (...failures: (string | null)[]): ObservedDatastore => ({
  kind: 'etcd',
  by: 'ETCD_ENDPOINTS',
  endpoints: failures.map((failure, i) => ({ shown: `http://etcd-${i}:2379`, failure })),
})

const api: ObservedDatastore = {
  kind: 'kubernetes',
  by: 'KUBECONFIG',
  endpoints: [{ shown: 'https://api:6443', failure: 'no route to host' }],
}

const host = (datastore: ObservedDatastore | null) => observed({ node: node({ datastore }) })
const found = (datastore: ObservedDatastore | null, allow: string[] = []) =>
  preflight(host(datastore), { ...wanted, allow })
const codes = (problems: { severity: string; code: string }[]) =>
  problems.map(({ severity, code }) => `${severity} ${code}`)

describe('datastore-unreachable', () => {
  it.each<[string, ObservedDatastore | null, string[]]>([
    ['nothing is known', null, []],
    ['all endpoints answer', etcd(null, null), []],
    ['one of two answers', etcd('connection refused', null), ['warning datastore-unreachable']],
    ['none answers', etcd('connection refused', 'no answer'), ['error datastore-unreachable']],
    ['the API server does not', api, ['error datastore-unreachable']],
  ])('where %s', (_, datastore, expected) => {
    expect(codes(found(datastore))).toEqual(expected)
    expect(codes(preflightWithoutImage(host(datastore), wanted, 'node'))).toEqual(expected)
  })

  it('can be allowed', () => {
    const [problem] = found(api, ['datastore-unreachable'])
    expect(problem).toMatchObject({
      severity: 'warning',
      message:
        'cannot restart calico-node: the Kubernetes API server does not answer (https://api:6443: no route to host), and calico/node does not start without it (allowed)',
      fix: 'curl -k https://api:6443/healthz shows whether it answers; bring it back, or correct its address (KUBECONFIG)',
    })
  })

  it('names what is away, and what is left', () => {
    expect(found(etcd('connection refused', null))[0]?.message).toBe(
      'etcd does not answer at 1 of 2 endpoints (http://etcd-0:2379: connection refused); calico-node uses the others',
    )
    const [problem] = found(etcd('connection refused', 'no answer within 2 s'))
    expect(problem?.message).toBe(
      'cannot restart calico-node: etcd does not answer (http://etcd-0:2379: connection refused; http://etcd-1:2379: no answer within 2 s), and calico/node does not start without it',
    )
    expect(problem?.fix).toContain('--allow datastore-unreachable')
  })

  it('asks DNS where that knows no endpoint', () => {
    const endpoints = [{ shown: '_etcd-client._tcp.example.org', failure: 'no such SRV record' }]
    const [problem] = found({ kind: 'etcd', by: 'ETCD_DISCOVERY_SRV', endpoints })
    expect(problem?.fix).toMatch(/^dig SRV _etcd-client\._tcp\.example\.org shows/)
  })

  it('is no matter where the image runs already, or where the controllers alone come back', () => {
    const remote = { digest: digest('a'), platforms: ['linux/amd64'] }
    expect(preflight({ ...host(api), image: { ...newImage, remote } }, wanted)).toEqual([])
    expect(codes(preflightWithoutImage(host(api), wanted, 'controllers'))).toEqual([])
  })
})
