import { describe, expect, it } from 'vitest'
import type { Observed, ObservedCni } from '../../../agent/core/model.ts'
import { prefetchProblems, preflight } from '../../../agent/core/preflight.ts'
import type { Wanted } from '../../../agent/core/wanted.ts'
import { container, digest, newImage, node, observed, wanted } from '../observed.ts'

const HASH = 'a'.repeat(64)
const cniWanted: Wanted = {
  ...wanted,
  cni: { ...wanted.cni, source: { kind: 'directory', path: '/srv/cni' }, binaries: ['calico'] },
}

const places = {
  ...{ configDir: '/etc/cni/net.d', configFile: null, binDir: '/opt/cni/bin' },
  kubelet: { unit: 'kubelet.service', restart: 'auto' as const },
}

function seen(changes: Partial<ObservedCni> = {}, more: Partial<Observed> = {}): Observed {
  const cni: ObservedCni = {
    installed: [{ name: 'calico', sha256: null, version: null }],
    offered: [{ name: 'calico', sha256: HASH }],
    version: '3.1.3',
    image: null,
    nodename: { written: false, optional: false },
    problems: [],
    ...changes,
  }
  return observed({ image: null, cni, ...more })
}

const codes = (all: Observed, asked = cniWanted) =>
  preflight(all, asked).map(({ code, severity }) => `${severity} ${code}`)

const nodeV3 = { ...newImage, ref: 'calico/node:v3.1.3' }
const mount = { Type: 'bind', Source: '/var/lib/calico', Destination: '/var/lib/calico', RW: true }
const withMount = (changes = {}) =>
  node({ container: { ...container(), Mounts: [{ ...mount, ...changes }] }, owner: { kind: 'docker' } })

it('refuses plugins that were tried and do not know the version of the config as it shall be', () => {
  const change = { path: '/c', before: '', after: '', plugins: [], cniVersion: '1.0.0' }
  const cniConfig = { change, plugins: [], kubelet: null, problems: [] }
  const asked: Wanted = { ...cniWanted, cniConfig: { ...places, merge: {} } }
  const all = (known: string[] | null) =>
    seen({ version: '2.0.6', tried: [{ name: 'calico', known }] }, { cniConfig })
  expect(codes(all(['0.3.1']), asked)).toContain('error cni-binary-too-old')
  expect(codes(all(['0.3.1', '1.0.0']), asked)).not.toContain('error cni-binary-too-old')
  expect(codes(all(null), asked)).not.toContain('error cni-binary-too-old')
})

describe('cni-needs-nodename', () => {
  it.each<[string, Observed, boolean]>([
    ['v3.1 plugins', seen(), true],
    ['plugins of an unknown version', seen({ version: null }), true],
    ['v3.0 plugins', seen({ version: '3.0.9' }), false],
    ['v2 plugins', seen({ version: '2.0.6' }), false],
    ['a nodename file', seen({ nodename: { written: true, optional: false } }), false],
    ['a config without need of it', seen({ nodename: { written: false, optional: true } }), false],
    [
      'plugins that are in place',
      seen({ installed: [{ name: 'calico', sha256: HASH, version: null }] }),
      false,
    ],
    ['a v3 node with the mount', seen({}, { node: withMount(), image: nodeV3 }), false],
    ['a v3 node with a read-only mount', seen({}, { node: withMount({ RW: false }), image: nodeV3 }), true],
    ['a v3 node without the mount', seen({}, { node: node(), image: nodeV3 }), true],
    ['a v2 node with the mount', seen({}, { node: withMount(), image: newImage }), true],
    ['a v3 node that runs, and no swap', seen({}, { node: withMount(), image: null }), true],
  ])('with %s', (_, all, refused) => {
    expect(codes(all).includes('error cni-needs-nodename')).toBe(refused)
  })

  it('says what is known of the version', () => {
    const said = (version: string | null) => preflight(seen({ version }), cniWanted)[0]?.message
    expect(said('3.1.3')).toMatch(/^cannot install CNI plugins 3\.1\.3: \/var\/lib\/calico\/nodename is/)
    expect(said(null)).toMatch(/^cannot install the CNI plugins: their version is unknown, and since v3\.1 /)
  })

  it('can be allowed, and says how to do without', () => {
    const [problem] = preflight(seen(), cniWanted)
    expect(problem?.fix).toContain('nodename_file_optional')
    expect(codes(seen(), { ...cniWanted, allow: ['cni-needs-nodename'] })).toEqual([
      'warning cni-needs-nodename',
    ])
  })
})

describe('what else stands against CNI plugins', () => {
  const ready = { nodename: { written: true, optional: false } }

  it('is another content than the pinned one', () => {
    const pinned = { ...cniWanted, cni: { ...cniWanted.cni, sha256: { calico: 'b'.repeat(64) } } }
    expect(codes(seen(ready), pinned)).toEqual(['error cni-binary-checksum'])
    expect(codes(seen(ready), { ...pinned, cni: { ...pinned.cni, sha256: { calico: HASH } } })).toEqual([])
  })

  it('is what was seen, and the image, in a prefetch as well', () => {
    const problem = { code: 'cni-bin-dir-unusable', severity: 'error', message: 'no', fix: 'yes' } as const
    const image = { ...newImage, remote: { digest: digest('b'), platforms: ['linux/arm64'] } }
    const all = seen({ ...ready, problems: [problem], image })
    expect(codes(all).sort()).toEqual(['error cni-bin-dir-unusable', 'error wrong-architecture'])
    expect(
      prefetchProblems(all, cniWanted)
        .map(({ code }) => code)
        .sort(),
    ).toEqual(['cni-bin-dir-unusable', 'wrong-architecture'])
  })
})
