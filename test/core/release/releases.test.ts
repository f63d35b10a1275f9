import { describe, expect, it } from 'vitest'
import {
  isWithdrawn,
  type ReleaseSources,
  releaseImages,
  releaseOfNode,
  unknownRelease,
} from '../../../agent/core/release/releases.ts'

const sources: ReleaseSources = { registry: 'quay.io', releases: {} }

/** Written down once more, one release a row: a slip in the table is a difference here. */
const table = `
2.0.2   node:v1.0.2   cni:v1.5.6   kube-policy-controller:v0.5.2
2.1.5   node:v1.1.3   cni:v1.8.0   kube-policy-controller:v0.5.4
2.2.1   node:v1.2.1   cni:v1.8.3   kube-policy-controller:v0.6.0
2.3.0   node:v1.3.0   cni:v1.9.1   kube-policy-controller:v0.6.0
2.4.1   node:v2.4.1   cni:v1.10.0  kube-policy-controller:v0.7.0
2.5.1   node:v2.5.1   cni:v1.10.0  kube-policy-controller:v0.7.0
2.6.1   node:v2.6.1   cni:v1.11.0  kube-controllers:v1.0.0
2.6.2   node:v2.6.2   cni:v1.11.0  kube-controllers:v1.0.0
2.6.3   node:v2.6.3   cni:v1.11.1  kube-controllers:v1.0.1
2.6.5   node:v2.6.5   cni:v1.11.2  kube-controllers:v1.0.2
2.6.6   node:v2.6.6   cni:v1.11.2  kube-controllers:v1.0.3
2.6.7   node:v2.6.7   cni:v1.11.2  kube-controllers:v1.0.3
2.6.8   node:v2.6.8   cni:v1.11.4  kube-controllers:v1.0.3
2.6.9   node:v2.6.9   cni:v1.11.5  kube-controllers:v1.0.4
2.6.10  node:v2.6.10  cni:v1.11.6  kube-controllers:v1.0.4
2.6.11  node:v2.6.11  cni:v1.11.7  kube-controllers:v1.0.4
2.6.12  node:v2.6.12  cni:v1.11.8  kube-controllers:v1.0.5
3.0.1   node:v3.0.1   cni:v2.0.0   kube-controllers:v2.0.0
3.0.2   node:v3.0.2   cni:v2.0.0   kube-controllers:v2.0.0
3.0.3   node:v3.0.3   cni:v2.0.1   kube-controllers:v2.0.1
3.0.4   node:v3.0.4   cni:v2.0.3   kube-controllers:v2.0.2
3.0.5   node:v3.0.5   cni:v2.0.4   kube-controllers:v2.0.3
3.0.6   node:v3.0.6   cni:v2.0.5   kube-controllers:v2.0.4
3.0.7   node:v3.0.7   cni:v2.0.5   kube-controllers:v2.0.4
3.0.8   node:v3.0.8   cni:v2.0.6   kube-controllers:v2.0.5
3.0.9   node:v3.0.9   cni:v2.0.7   kube-controllers:v2.0.6
3.0.10  node:v3.0.10  cni:v3.0.10  kube-controllers:v3.0.10
3.1.0   node:v3.1.0   cni:v3.1.0   kube-controllers:v3.1.0
3.26.1  node:v3.26.1  cni:v3.26.1  kube-controllers:v3.26.1`
  .trim()
  .split('\n')
  .map((row) => row.split(/ +/))

describe('the release table', () => {
  it.each(table)('knows %s', (release = '', node = '', cni = '', controllers = '') => {
    const images = {
      node: `quay.io/calico/${node}`,
      cni: `quay.io/calico/${cni}`,
      controllers: `quay.io/calico/${controllers}`,
    }
    expect(releaseImages(release, sources)).toEqual(images)
    expect(releaseImages(`v${release}`, sources)).toEqual(images)
    expect(releaseOfNode(node.replace('node:v', ''))).toBe(`v${release}`)
  })

  it('knows no other release of 2.0 to 3.0', () => {
    const versions = ['2.0', '2.1', '2.2', '2.3', '2.4', '2.5', '2.6', '3.0'].flatMap((minor) =>
      Array.from({ length: 20 }, (_, patch) => `${minor}.${patch}`),
    )
    const known = versions.filter((version) => releaseImages(version, sources) !== null)
    const rows = table.map(([release]) => release).filter((release) => versions.includes(release ?? ''))
    const later = Array.from({ length: 9 }, (_, i) => `3.0.${11 + i}`)
    expect(known).toEqual([...rows, ...later])
  })

  it.each(['2.6.0', '2.6.4', '3.0.0'])('has no row for %s, which was withdrawn', (version) => {
    expect(isWithdrawn(version)).toBe(true)
    expect(releaseImages(version, sources)).toBeNull()
    expect(unknownRelease(`v${version}`)).toContain('it was withdrawn')
  })

  it.each(['3.27.0-beta1', '2.6.13', 'latest', ''])('does not know %j', (name) => {
    expect(releaseImages(name, sources)).toBeNull()
  })

  it.each(['1.3.1', '2.6.4', '2.3.0'])('has no release with node v%s', (version) => {
    expect(releaseOfNode(version)).toBeNull()
  })
})

describe('the registry', () => {
  it.each([
    ['docker.io', 'docker.io/calico/node:v2.6.12'],
    ['registry.example:5000/mirror', 'registry.example:5000/mirror/calico/node:v2.6.12'],
  ])('is a prefix: %s', (registry, node) => {
    expect(releaseImages('v2.6.12', { registry, releases: {} })?.node).toBe(node)
  })
})

describe("the config's own entries", () => {
  const own = { node: 'mine/node:1', cni: 'mine/cni:1', controllers: 'mine/kube-controllers:1' }

  it('add a release, with v or without', () => {
    for (const [key, name] of [
      ['v2.6.13', '2.6.13'],
      ['2.6.13', 'v2.6.13'],
    ] as const)
      expect(releaseImages(name, { ...sources, releases: { [key]: own } })).toEqual(own)
  })

  it.each(['v2.6.12-site_2', '2.6.12-site_2'])(
    'are told apart where their names are no semver: %s',
    (name) => {
      const other = { ...own, node: 'mine/node:2' }
      const releases = { 'v2.6.12-site_1': own, 'v2.6.12-site_2': other }
      expect(releaseImages(name, { ...sources, releases })).toEqual(other)
      expect(releaseImages('v2.06.13', { ...sources, releases })).toBeNull()
    },
  )

  it('win over the table, which fills in the rest', () => {
    expect(releaseImages('v2.6.12', { ...sources, releases: { 'v2.6.12': { node: own.node } } })).toEqual({
      node: 'mine/node:1',
      cni: 'quay.io/calico/cni:v1.11.8',
      controllers: 'quay.io/calico/kube-controllers:v1.0.5',
    })
  })

  it('are no release without all three', () => {
    const releases = { 'v2.6.13': { node: own.node, cni: own.cni } }
    expect(releaseImages('v2.6.13', { ...sources, releases })).toBeNull()
  })
})

describe('an unknown release', () => {
  it.each([
    ['2.6.13', 'v2.6.10, v2.6.11, v2.6.12'],
    ['v2.4.0', 'v2.3.0, v2.4.1, v2.5.1'],
    ['2.6.4', 'v2.6.2, v2.6.3, v2.6.5'],
    ['1.6.0', 'v2.0.2, v2.1.5, v2.2.1'],
    ['3.1.0-rc1', 'v3.0.8, v3.0.9, v3.0.10 and later'],
  ])('%s is told with the nearest ones', (name, nearest) => {
    expect(unknownRelease(name)).toMatch(new RegExp(`^release ${name} .* are ${nearest}$`))
  })
})
