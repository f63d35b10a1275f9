import { describe, expect, it } from 'vitest'
import type { Observed, ObservedCni, ObservedControllers, ObservedImage } from '../../../agent/core/model.ts'
import { preflight } from '../../../agent/core/preflight.ts'
import { container, digest, image, newImage, node, observed, wanted } from '../observed.ts'

const CODES = ['datastore-migration', 'downgrade']

function problemsOf(host: Partial<Observed>, allow: string[] = []) {
  const all = preflight(observed({ image: null, ...host }), { ...wanted, allow })
  return all.filter(({ code }) => CODES.includes(code))
}

const found = (host: Partial<Observed>, allow: string[] = []) =>
  problemsOf(host, allow).map(({ severity, code }) => `${severity} ${code}`)

/** A plugin as it prints its version, and the source's; null where neither does. */
function cni(from: string | null, to: string | null, changes: Partial<ObservedCni> = {}): Partial<Observed> {
  const installed = [{ name: 'calico', sha256: 'a'.repeat(64), version: from }]
  const nodename = { written: true, optional: false }
  const source = { installed, offered: null, version: to, image: null, nodename, problems: [], ...changes }
  return { cni: source, companions: { cni: from, controllers: null } }
}

function controllers(
  from: string,
  to: string,
  { env = [] as string[], same = false } = {},
): Partial<Observed> {
  const json = container({ Config: { Image: from, Env: env } })
  const running: ObservedControllers = {
    container: { ...json, Name: '/calico-kube-controllers' },
    image: image('1', `calico/kube-controllers@${digest('a')}`),
    owner: { kind: 'docker' },
    unit: null,
  }
  const remote = { digest: digest(same ? 'a' : 'b'), platforms: [] }
  const asked: ObservedImage = { ref: to, local: null, remote }
  return { controllers: running, controllersImage: asked }
}

const kube = (from: string, to: string, more = {}) =>
  controllers(`calico/kube-controllers:${from}`, `calico/kube-controllers:${to}`, more)

const nodeOf = (tag: string, env: string[] = []) =>
  node({ container: container({ Config: { Image: `calico/node:${tag}`, Env: env } }) })

describe('the CNI plugins', () => {
  it.each<[string | null, string | null, string[]]>([
    ['1.11.2', '1.11.8', []],
    ['1.10.0', '1.11.8', []],
    ['1.11.8', '1.11.2', []],
    ['1.11.8', '2.0.0', ['error datastore-migration']],
    ['1.11.8', '3.26.1', ['error datastore-migration']],
    ['1.9.1', '3.1.3', ['error datastore-migration']],
    ['2.0.7', '3.1.3', []],
    ['1.11.8', '1.10.0', ['error downgrade']],
    ['3.1.3', '1.11.8', ['error downgrade']],
    [null, '3.26.1', []],
    ['1.11.8', null, []],
    ['1.11.8', '2.0.7-amd64', ['error datastore-migration']],
  ])('from %s to %s', (from, to, codes) => {
    expect(found(cni(from, to))).toEqual(codes)
  })

  it('go nowhere where the source has what is there', () => {
    const offered = [{ name: 'calico', sha256: 'a'.repeat(64) }]
    expect(found(cni('3.1.3', '1.11.8', { offered }))).toEqual([])
  })
})

describe('the controllers', () => {
  it.each<[string, string, string[]]>([
    ['v1.0.2', 'v1.0.5', []],
    ['v1.0.5', 'v1.0.2', []],
    ['v1.0.5', 'v2.0.0', ['error datastore-migration']],
    ['v1.0.5-amd64', 'v3.26.1', ['error datastore-migration']],
    ['v2.0.6', 'v3.1.3', []],
    ['v3.20.0', 'v3.1.3', ['error downgrade']],
    ['v3.1.3', 'v1.0.5', ['error downgrade']],
    ['latest', 'v3.26.1', []],
    ['v1.0.5', 'latest', []],
  ])('from %s to %s', (from, to, codes) => {
    expect(found(kube(from, to))).toEqual(codes)
  })

  it('go back to kube-policy-controller only where that is allowed', () => {
    const back = controllers('calico/kube-controllers:v1.0.5', 'calico/kube-policy-controller:v0.7.0')
    expect(found(back)).toEqual(['error downgrade'])
    expect(found(back, ['downgrade'])).toEqual(['warning downgrade'])
  })

  it('go nowhere where they run already', () => {
    expect(found(kube('v3.20.0', 'v3.1.3', { same: true }))).toEqual([])
  })
})

describe('a migration of the datastore', () => {
  const both = { ...cni('1.11.8', '3.26.1'), ...kube('v1.0.5', 'v3.26.1') }

  it('is told once, with each component that needs it', () => {
    const v3 = { ...newImage, ref: 'calico/node:v3.26.1' }
    expect(problemsOf({ node: nodeOf('v2.6.12'), image: v3, ...both })).toMatchObject([
      {
        message: expect.stringMatching(
          /^cannot upgrade node from v2.6.12 to v3.26.1 and cni from v1.11.8 to v3.26.1 and controllers from v1.0.5 to v3.26.1: v3 uses/,
        ) as string,
      },
    ])
  })

  it('begins at what Calico 2.6.5 has', () => {
    expect(problemsOf({ ...cni('1.11.1', '3.26.1'), ...kube('v1.0.1', 'v3.26.1') })).toMatchObject([
      {
        message: expect.stringMatching(
          /upgrades to v3 start from cni v1.11.2 and controllers v1.0.2$/,
        ) as string,
      },
    ])
  })

  it('was stated when the node of this host came to v3', () => {
    expect(found({ node: nodeOf('v3.26.1'), ...both })).toEqual([])
    expect(found({ node: nodeOf('v2.6.12'), ...both })).toEqual(['error datastore-migration'])
    expect(found({ node: nodeOf('latest'), ...both })).toEqual(['error datastore-migration'])
    // a host without one, that the controllers alone run on
    expect(found({ node: null, ...kube('v1.0.5', 'v3.26.1') })).toEqual(['error datastore-migration'])
  })

  it('is nothing that the Kubernetes API needs, whoever tells of it', () => {
    const env = ['DATASTORE_TYPE=kubernetes']
    expect(found({ node: nodeOf('v2.6.12', env), ...cni('1.11.8', '3.26.1') })).toEqual([])
    expect(found({ node: null, ...kube('v1.0.5', 'v3.26.1', { env }) })).toEqual([])
  })
})

describe('a downgrade', () => {
  it('is told of each component by its name, and allowed by one rule', () => {
    const host = {
      node: nodeOf('v2.6.12'),
      image: { ...newImage, ref: 'calico/node:v2.5.1' },
      ...cni('1.11.8', '1.10.0'),
      ...kube('v1.1.0', 'v1.0.5'),
    }
    expect(problemsOf(host).map(({ message }) => message.split(':')[0])).toEqual([
      'cannot downgrade node from v2.6.12 to v2.5.1',
      'cannot downgrade cni from v1.11.8 to v1.10.0',
      'cannot downgrade controllers from v1.1.0 to v1.0.5',
    ])
    expect(found(host, ['downgrade'])).toEqual(Array<string>(3).fill('warning downgrade'))
  })
})
