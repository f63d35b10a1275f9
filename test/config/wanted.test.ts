import { describe, expect, it } from 'vitest'
import { type ConfigFlags, mergeFlags, releaseOf } from '../../agent/config/load.ts'
import { type Config, configSchema } from '../../agent/config/schema.ts'
import { checkTarget, partsOf, wantedOf } from '../../agent/config/wanted.ts'

const FILE = '/etc/calico-agent/agent.yaml'
const image = 'calico/node:v2.6.12'
const everything = configSchema.parse({
  node: { image },
  cni: { archive: '/srv/cni.tgz', merge: { mtu: 1440 } },
})

function wanted(config: Config, only?: string) {
  return wantedOf(config, [], partsOf(only))
}

describe('wantedOf', () => {
  it('is what the config names', () => {
    expect(wanted(everything)).toMatchObject({
      node: { image },
      cni: { source: { kind: 'archive', path: '/srv/cni.tgz' }, binaries: ['calico', 'calico-ipam'] },
      cniConfig: { configDir: '/etc/cni/net.d', configFile: null, merge: { mtu: 1440 } },
    })
  })

  it('leaves alone what the config leaves out', () => {
    const { node, cni, cniConfig } = wanted(configSchema.parse({}))
    expect({ image: node.image, source: cni.source, cniConfig }).toEqual({
      image: null,
      source: null,
      cniConfig: null,
    })
  })

  it('keeps to what --only names', () => {
    const { node, cni, cniConfig } = wanted(everything, 'cni, cni-config')
    expect(node).toMatchObject({ image: null, container: 'calico-node' })
    expect([cni.source, cniConfig]).not.toContain(null)
    expect(wanted(everything, 'node')).toMatchObject({
      node: { image },
      cni: { source: null },
      cniConfig: null,
    })
  })

  it('knows the parts of a host', () => {
    expect(() => partsOf('node,pods')).toThrow(
      expect.objectContaining({ exitCode: 2, fix: 'parts: node, cni, cni-config, config-map, controllers' }),
    )
  })
})

describe('checkTarget', () => {
  it('shows the smallest config when nothing is asked for', () => {
    expect(() => {
      checkTarget(wanted(configSchema.parse({})), FILE, undefined)
    }).toThrow(
      expect.objectContaining({
        exitCode: 2,
        fix: expect.stringContaining('node:\n  image: quay.io') as string,
      }),
    )
  })

  it('says which part of --only nothing names', () => {
    const only = partsOf('node,cni')
    expect(() => {
      checkTarget(wantedOf(configSchema.parse({ node: { image } }), [], only), FILE, only)
    }).toThrow(`cannot upgrade cni: no --cni was given, and ${FILE} sets no source under cni`)
  })

  it('takes any part', () => {
    checkTarget(wanted(configSchema.parse({ cni: { merge: {} } })), FILE, undefined)
  })
})

it('states who keeps the controllers', () => {
  const controllers = { container: 'c-1', manager: 'systemd' as const, unit: 'c.service' }
  expect(wanted(configSchema.parse({ controllers })).controllers).toEqual({
    ...controllers,
    image: null,
    onlyIfInstalled: true,
  })
})

describe('a release', () => {
  it('brings its CNI plugins to a host that has some, and lets a source of their own win', () => {
    const released = wanted(configSchema.parse({ release: 'v2.6.12' })).cni
    expect(released).toMatchObject({
      source: { kind: 'image', image: 'quay.io/calico/cni:v1.11.8' },
      onlyIfInstalled: true,
    })
    const own = wanted(configSchema.parse({ release: 'v2.6.12', cni: { directory: '/srv/cni' } })).cni
    expect(own).toMatchObject({ source: { kind: 'directory' }, onlyIfInstalled: false })
    expect(wanted(configSchema.parse({ release: 'v2.6.12' }), 'node').cni.source).toBeNull()
  })

  it.each<[string, object, ConfigFlags, string]>([
    ['release', { release: 'v2.6.12' }, {}, 'quay.io/calico/node:v2.6.12'],
    ['registry', { release: '2.3.0', registry: 'docker.io' }, {}, 'docker.io/calico/node:v1.3.0'],
    ['node.image over release', { release: 'v2.6.12', node: { image: 'mine:1' } }, {}, 'mine:1'],
    ['--to over release', { release: 'v2.6.12' }, { to: 'v2.6.11' }, 'quay.io/calico/node:v2.6.11'],
    ['--to over node.image', { node: { image: 'mine:1' } }, { to: 'v2.6.11' }, 'quay.io/calico/node:v2.6.11'],
    ['--node over --to', { node: { image: 'mine:1' } }, { to: 'v2.6.11', node: 'mine:2' }, 'mine:2'],
    ['an own entry', { releases: { 'v2.6.12': { node: 'mine:3' } } }, { to: '2.6.12' }, 'mine:3'],
  ])('takes %s', (_, config, flags, expected) => {
    expect(wanted(mergeFlags(configSchema.parse(config), flags)).node.image).toBe(expected)
  })

  it('leaves the release that was named to be held against', () => {
    const config = mergeFlags(configSchema.parse({ release: 'v2.6.12' }), { node: 'mine:1' })
    expect(releaseOf(config)).toMatchObject({
      name: 'v2.6.12',
      images: { cni: 'quay.io/calico/cni:v1.11.8' },
    })
    expect(releaseOf(configSchema.parse({ node: { image } }))).toBeNull()
  })

  it('refuses a release that nobody knows, by the name of the flag', () => {
    expect(() => mergeFlags(configSchema.parse({}), { to: 'v2.6.13' })).toThrow(
      /^--to: release v2.6.13 .* v2.6.12; you can add it under releases in the config$/,
    )
    expect(() => mergeFlags(configSchema.parse({}), { to: 'newest' })).toThrow(/^--to: must be a release/)
  })
})
