import { describe, expect, it } from 'vitest'
import { backendOf, envMap, healthChecks, imageVersion } from '../../../agent/core/docker/health.ts'

const http = (url: string) => ({ kind: 'http', url })
const exec = (...argv: string[]) => ({ kind: 'exec', argv })

describe('healthChecks', () => {
  it.each<[string[], string | null, object[]]>([
    [[], null, []],
    [[], '3.1.6', []],
    [[], '3.2.0', []],
    [['CALICO_NETWORKING_BACKEND=vxlan'], '3.20.0', []],
    [['FELIX_HEALTHENABLED=false'], '2.6.12', []],
    [['FELIX_HEALTHENABLED='], '2.6.12', []],
    [['FELIX_HEALTHENABLED=true'], null, [http('http://localhost:9099/readiness')]],
    [
      ['FELIX_HEALTHENABLED=True', 'FELIX_HEALTHPORT=9098'],
      '2.6.12',
      [http('http://localhost:9098/readiness')],
    ],
    [
      ['FELIX_HEALTHENABLED=1', 'FELIX_HEALTHHOST=192.0.2.1'],
      '2.6.12',
      [http('http://192.0.2.1:9099/readiness')],
    ],
    ...['::1', '[::1]'].map((host): [string[], string, object[]] => [
      ['FELIX_HEALTHENABLED=1', `FELIX_HEALTHHOST=${host}`],
      '2.6.12',
      [http('http://[::1]:9099/readiness')],
    ]),
    [
      ['FELIX_HEALTHENABLED=1', 'FELIX_HEALTHHOST=', 'FELIX_HEALTHPORT='],
      '2.6.12',
      [http('http://localhost:9099/readiness')],
    ],
    [['FELIX_HEALTHENABLED=yes'], '3.20.0', [http('http://localhost:9099/readiness')]],
  ])('with %j and version %s', (env, version, checks) => {
    expect(healthChecks(envMap(env), version, true)).toEqual(checks)
  })

  it.each<[string[], string | null, object[]]>([
    [[], null, []],
    [[], '3.1.6', []],
    [[], '3.2.0', [exec('/bin/calico-node', '-bird-ready')]],
    [['CALICO_NETWORKING_BACKEND=vxlan'], '3.20.0', []],
  ])(
    'asks the node about BIRD where the agent does not see it: with %j and version %s',
    (env, version, checks) => {
      expect(healthChecks(envMap(env), version, false)).toEqual(checks)
    },
  )
})

describe('backendOf', () => {
  it.each([
    [[], 'bird'],
    [['CALICO_NETWORKING_BACKEND='], 'bird'],
    [['CALICO_NETWORKING_BACKEND=bird'], 'bird'],
    [['CALICO_NETWORKING_BACKEND=Bird'], 'bird'],
    [['CALICO_NETWORKING_BACKEND=gobgp'], 'gobgp'],
    [['CALICO_NETWORKING_BACKEND=none'], 'none'],
    [['CALICO_NETWORKING_BACKEND=vxlan'], 'vxlan'],
    [['CALICO_NETWORKING=false'], 'none'],
    [['CALICO_NETWORKING=true', 'CALICO_NETWORKING_BACKEND=none'], 'bird'],
    [['CALICO_NETWORKING=', 'CALICO_NETWORKING_BACKEND=none'], 'none'],
  ])('of %j is %s', (env, backend) => {
    expect(backendOf(envMap(env))).toBe(backend)
  })
})

describe('envMap', () => {
  it.each<[string[] | null | undefined, [string, string][]]>([
    [null, []],
    [undefined, []],
    [
      ['A=1', 'B=x=y', 'C=', 'D'],
      [
        ['A', '1'],
        ['B', 'x=y'],
        ['C', ''],
        ['D', ''],
      ],
    ],
    [['A=1', 'A=2'], [['A', '2']]],
  ])('of %j', (env, entries) => {
    expect([...envMap(env)]).toEqual(entries)
  })
})

describe('imageVersion', () => {
  const oci = 'org.opencontainers.image.version'
  it.each<[string | null, Record<string, string> | null, string | null]>([
    ['v2.6.12', null, '2.6.12'],
    ['2.6.12', null, '2.6.12'],
    ['v3.0.0-beta1', null, '3.0.0-beta1'],
    ['latest', null, null],
    [null, null, null],
    ['latest', { [oci]: 'v3.1.0' }, '3.1.0'],
    [null, { version: 'v3.2.0' }, '3.2.0'],
    [null, { [oci]: 'unknown', version: '3.2.0' }, '3.2.0'],
    ['v2.6.12', { [oci]: 'v3.1.0' }, '2.6.12'],
    ['v3.20', null, null],
    // the machine's name is no pre-release
    ['v3.2.0-amd64', null, '3.2.0'],
    ['v3.2.0-arm64', null, '3.2.0'],
    ['v3.2.0-arm64v8', null, '3.2.0'],
    ['v3.2.0-armv7', null, '3.2.0'],
    ['v3.2.0-ppc64le', null, '3.2.0'],
    ['v3.2.0-s390x', null, '3.2.0'],
    ['v3.2.0-x86_64', null, '3.2.0'],
    ['v3.2.0-linux-amd64', null, '3.2.0'],
    ['v3.2.0_amd64', null, '3.2.0'],
    ['v3.26.1-fips', null, '3.26.1'],
    ['v3.26.1-fips-amd64', null, '3.26.1'],
    ['v3.0.0-beta1-amd64', null, '3.0.0-beta1'],
    ['v3.0.0-rc1-arm64', null, '3.0.0-rc1'],
    ['v3.2.0-0.dev-amd64', null, '3.2.0-0.dev'],
    ['latest-amd64', null, null],
    ['latest-amd64', { [oci]: 'v3.1.0' }, '3.1.0'],
    ['latest-amd64', { [oci]: 'v3.1.0-amd64' }, '3.1.0'],
    ['amd64', { version: 'v3.2.0-amd64' }, '3.2.0'],
  ])('of tag %s and labels %j is %s', (tag, labels, version) => {
    expect(imageVersion(tag, labels)).toBe(version)
  })
})
