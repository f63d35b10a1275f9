import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { MountSpec } from '../../../agent/core/docker/json.ts'
import { bare, type Change, captured, node, rich, specOf } from '../fixtures/docker/captured.ts'

describe('the host name', () => {
  it.each<[string, Change, string | undefined]>([
    [
      'is left out when the Engine derived it from the id',
      { Config: { Hostname: bare.container.Id.slice(0, 12) } },
      undefined,
    ],
    ['is left out in the name space of the host', { HostConfig: { UTSMode: 'host' } }, undefined],
    [
      'is left out when the host network gave it',
      { Config: { Hostname: bare.host }, HostConfig: { NetworkMode: 'host' } },
      undefined,
    ],
    [
      'is left out when another container gave it',
      { Config: { Hostname: 'other' }, HostConfig: { NetworkMode: 'container:other' } },
      undefined,
    ],
    ['is kept when the operator set it', { Config: { Hostname: 'calico' } }, 'calico'],
    [
      'is kept when the operator set it on the host network',
      { Config: { Hostname: 'calico' }, HostConfig: { NetworkMode: 'host' } },
      'calico',
    ],
    ["is kept when it merely equals the host's", { Config: { Hostname: bare.host } }, bare.host],
  ])('%s', (_, change, hostname) => {
    expect(specOf(bare, change).body.Hostname).toBe(hostname)
  })
})

describe('networks', () => {
  it.each(['host', 'none', 'bridge', 'default', ''])(
    'sends no endpoint for the built-in one: "%s"',
    (mode) => {
      const Networks = {
        [mode === 'default' || mode === '' ? 'bridge' : mode]: { IPAddress: '172.17.0.2', Aliases: ['x'] },
      }
      const spec = specOf(node, { HostConfig: { NetworkMode: mode }, NetworkSettings: { Networks } })
      expect(spec.body.NetworkingConfig).toBeUndefined()
      expect(spec.furtherNetworks).toEqual([])
    },
  )

  it('asks for the address that was asked for, and not for the one that was given', () => {
    const given = { IPAddress: '10.81.0.2', MacAddress: '02:42:0a:51:00:02', EndpointID: 'e', NetworkID: 'n' }
    const one = specOf(bare, {
      NetworkSettings: { Networks: { one: { ...given, IPAMConfig: null, Aliases: null } } },
    })
    expect(one.body.NetworkingConfig).toEqual({ EndpointsConfig: { one: {} } })
    expect(specOf(rich).body.NetworkingConfig).toMatchObject({
      EndpointsConfig: { one: { IPAMConfig: { IPv4Address: '10.81.0.9' } } },
    })
  })

  it('leaves out the alias that is the short id of the old container', () => {
    const { body } = specOf(rich)
    expect(body.NetworkingConfig?.EndpointsConfig['one']?.Aliases).toEqual(['felix', 'calico'])
    expect(specOf(bare).body.NetworkingConfig?.EndpointsConfig['one']).not.toHaveProperty('Aliases')
  })

  it('creates with the first and connects the others afterwards', () => {
    const { body, furtherNetworks } = specOf(rich)
    expect(Object.keys(body.NetworkingConfig?.EndpointsConfig ?? {})).toEqual(['one'])
    expect(furtherNetworks.map(({ network }) => network).sort()).toEqual(['three', 'two'])
    expect(furtherNetworks.find(({ network }) => network === 'two')?.endpoint).toMatchObject({
      IPAMConfig: { IPv4Address: '10.82.0.9' },
      Aliases: ['typha', 'calico'],
    })
  })

  it('connects the ones beside the default bridge', () => {
    const { body, furtherNetworks } = specOf(captured('two-networks-beside-the-default'))
    expect(body.NetworkingConfig).toBeUndefined()
    expect(furtherNetworks.map(({ network }) => network).sort()).toEqual(['one', 'two'])
  })

  it('sends none for a container in the name space of another', () => {
    const spec = specOf(bare, { HostConfig: { NetworkMode: 'container:other' } })
    expect(spec.body.NetworkingConfig).toBeUndefined()
  })

  it('writes links as a request wants them', () => {
    expect(specOf(captured('linked')).body.HostConfig.Links?.sort()).toEqual([
      'inherits:other',
      'own-command:own-command',
    ])
  })
})

describe('mounts', () => {
  const volume = { Type: 'volume', Name: 'a'.repeat(64), Source: '/v', Destination: '/data', RW: true }

  it.each<[string, { Binds?: string[]; Mounts?: MountSpec[] }, string[], MountSpec[]]>([
    ['carries an anonymous volume by its name', {}, [`${volume.Name}:/data`], []],
    ['keeps the bind of a named volume alone', { Binds: ['mine:/data:ro'] }, ['mine:/data:ro'], []],
    ['knows a bind with a slash at its end', { Binds: ['mine:/data/'] }, ['mine:/data/'], []],
    ['knows a bind with slashes in it', { Binds: ['mine://data'] }, ['mine://data'], []],
    [
      'keeps a typed named mount alone',
      { Mounts: [{ Type: 'volume', Source: 'mine', Target: '/data/' }] },
      [],
      [{ Type: 'volume', Source: 'mine', Target: '/data/' }],
    ],
    [
      'carries an unnamed typed mount by its name',
      { Mounts: [{ Type: 'volume', Target: '/data' }] },
      [`${volume.Name}:/data`],
      [],
    ],
    [
      'names a target once that is in both lists',
      { Binds: ['mine:/data'], Mounts: [{ Type: 'volume', Source: 'mine', Target: '/data' }] },
      ['mine:/data'],
      [],
    ],
    ['keeps modes and propagation', { Binds: ['/etc:/data:ro,rslave,z'] }, ['/etc:/data:ro,rslave,z'], []],
  ])('%s', (_, host, binds, mounts) => {
    const { body } = specOf(bare, { HostConfig: { Binds: null, Mounts: [], ...host }, Mounts: [volume] })
    expect(body.HostConfig.Binds ?? []).toEqual(binds)
    expect(body.HostConfig.Mounts).toEqual(mounts)
    expect(body.Volumes).toEqual({})
  })

  it('keeps an anonymous volume read-only', () => {
    const { body } = specOf(bare, { HostConfig: { Binds: null }, Mounts: [{ ...volume, RW: false }] })
    expect(body.HostConfig.Binds).toEqual([`${volume.Name}:/data:ro`])
  })

  it('never names a target twice', () => {
    const target = fc.constantFrom('/a', '/a/', '/b', '//b', '/c/d', '/c//d/')
    const anything = fc.record({
      Binds: fc.uniqueArray(
        target.map((to) => `/from:${to}`),
        { maxLength: 2, selector: clean },
      ),
      Mounts: fc.uniqueArray(
        fc.record({ Type: fc.constant('volume'), Target: target }, { requiredKeys: ['Type', 'Target'] }),
        { maxLength: 3, selector: ({ Target }) => clean(Target) },
      ),
      live: fc.uniqueArray(target.map(clean), { maxLength: 3 }),
    })
    fc.assert(
      fc.property(anything, ({ Binds, Mounts, live }) => {
        const { body } = specOf(bare, {
          HostConfig: { Binds, Mounts },
          Mounts: live.map((Destination) => ({ ...volume, Destination })),
        })
        const binds = body.HostConfig.Binds?.map((bind) => bind.split(':')[1] ?? '') ?? []
        const targets = [...binds, ...(body.HostConfig.Mounts ?? []).map(({ Target }) => Target)].map(clean)
        expect(new Set(targets).size).toBe(targets.length)
      }),
    )
  })
})

/** As Docker compares mount points. */
function clean(path: string): string {
  return (path.split(':').at(-1) ?? '').replace(/\/+/g, '/').replace(/(.)\/$/, '$1')
}
