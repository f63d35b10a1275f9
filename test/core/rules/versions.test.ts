import { describe, expect, it } from 'vitest'
import type { ObservedImage } from '../../../agent/core/model.ts'
import { preflight } from '../../../agent/core/preflight.ts'
import { container, digest, image, newImage, node, observed, wanted } from '../observed.ts'

interface Move {
  from?: string
  to?: string
  env?: string[]
  allow?: string[]
}

function problems({ from = 'v2.6.5', to = 'v2.6.12', env = [], allow = [] }: Move) {
  const Config = { Image: `calico/node:${from}`, Env: env }
  const next: ObservedImage = { ...newImage, ref: `calico/node:${to}` }
  const host = observed({ node: node({ container: container({ Config }) }), image: next })
  return preflight(host, { ...wanted, allow })
}

const found = (move: Move) => problems(move).map(({ severity, code }) => `${severity} ${code}`)

describe('a move between versions', () => {
  it.each<[string, string, string[]]>([
    ['v2.6.5', 'v2.6.12', []],
    ['v2.6.12', 'v2.6.5', []],
    ['v2.4.1', 'v2.6.12', []],
    ['v1.3.0', 'v2.6.12', []],
    ['v3.0.9', 'v3.26.1', []],
    ['v3.0.1-beta1', 'v3.0.1', []],
    ['v2.6.12', 'v3.0.1', ['error datastore-migration']],
    ['v2.6.5', 'v3.26.1', ['error datastore-migration']],
    ['v2.6.5-amd64', 'v3.0.1-amd64', ['error datastore-migration']],
    ['v2.6.4-rc1-amd64', 'v3.0.1', ['error datastore-migration']],
    ['v3.2.0-amd64', 'v3.2.0', []],
    ['v3.2.0', 'v3.1.0-amd64', ['error downgrade']],
    ['v3.2.0-arm64', 'v3.1.0-arm64', ['error downgrade']],
    ['v2.4.1', 'v3.0.1', ['error datastore-migration']],
    ['v1.3.0', 'v3.0.1', ['error datastore-migration']],
    ['v2.6.12', 'v2.5.1', ['error downgrade']],
    ['v2.4.1', 'v1.3.0', ['error downgrade']],
    ['v3.1.0', 'v2.6.12', ['error downgrade']],
    ['v3.2.0', 'v3.1.6', ['error downgrade']],
    ['v2.6.5', 'v2.6.0', ['error withdrawn-version']],
    ['v2.6.5', 'v2.6.4', ['error withdrawn-version']],
    ['v2.6.5', 'v2.6.4-amd64', ['error withdrawn-version']],
    ['v2.6.5', 'v3.0.0', ['error withdrawn-version', 'error datastore-migration']],
    ['v3.0.1', 'v3.0.0-beta1', []],
    ['v2.6.4', 'v2.6.12', []],
    ['latest', 'v3.0.1', []],
    ['v2.6.12', 'latest', []],
    ['latest', 'v2.6.4', ['error withdrawn-version']],
  ])('from %s to %s', (from, to, codes) => {
    expect(found({ from, to })).toEqual(codes)
  })

  it.each(['withdrawn-version', 'datastore-migration', 'downgrade', 'dropped-env'])(
    'is allowed by --allow %s alone',
    (rule) => {
      const moves: Record<string, Move> = {
        'withdrawn-version': { to: 'v2.6.4' },
        'datastore-migration': { to: 'v3.0.1' },
        downgrade: { to: 'v2.5.1' },
        'dropped-env': { to: 'v3.0.1', env: ['ETCD_AUTHORITY=h:1'], allow: ['datastore-migration'] },
      }
      const { allow = [], ...move } = moves[rule] ?? {}
      const errors = (allowed: string[]) =>
        found({ ...move, allow: [...allow, ...allowed] }).filter((one) => one.startsWith('error'))
      expect(errors([])).toEqual([`error ${rule}`])
      expect(errors(['bird-down'])).toEqual([`error ${rule}`])
      expect(errors([rule])).toEqual([])
    },
  )

  it('knows a version by its label where the tag is none', () => {
    const labelled = (id: string, version: string, ...digests: string[]) => ({
      ...image(id, ...digests),
      Config: { Labels: { 'org.opencontainers.image.version': version } },
    })
    const runs = container({ Config: { Image: 'mine/calico-node:stable' } })
    const here = labelled('2', 'v2.5.1', `mine/calico-node@${digest('b')}`)
    const codes = (inRegistry: string) => {
      const remote = { digest: digest(inRegistry), platforms: [] }
      const host = observed({
        node: node({ container: runs, image: labelled('1', 'v2.6.12') }),
        image: { ref: 'mine/calico-node:next', local: here, remote },
      })
      return preflight(host, wanted).map(({ code }) => code)
    }
    expect(codes('b')).toEqual(['downgrade'])
    // the tag has moved: what this host has under it is not what the pull brings
    expect(codes('c')).toEqual([])
  })

  it('is none where the image runs already', () => {
    const runs = image('1', `calico/node@${digest('a')}`)
    const same = { ref: 'calico/node:v2.6.4', local: runs, remote: { digest: digest('a'), platforms: [] } }
    const Config = { Image: 'calico/node:v2.6.4' }
    expect(
      preflight(observed({ node: node({ container: container({ Config }) }), image: same }), wanted),
    ).toEqual([])
  })
})

describe('datastore-migration', () => {
  it('says what must start first, and from which version on', () => {
    expect(problems({ from: 'v2.6.5', to: 'v3.0.1' })).toMatchObject([
      {
        message: expect.stringContaining('calico-upgrade must start the migration first') as string,
        fix: expect.stringContaining('--allow datastore-migration overrides') as string,
      },
    ])
    expect(problems({ from: 'v2.6.3', to: 'v3.0.1' })).toMatchObject([
      { message: expect.stringContaining('upgrades to v3 start from node v2.6.5') as string },
    ])
  })

  it('is nothing that the Kubernetes API needs', () => {
    const env = ['DATASTORE_TYPE=kubernetes']
    expect(found({ from: 'v2.6.12', to: 'v3.0.1', env })).toEqual([])
    expect(found({ from: 'v2.6.3', to: 'v3.0.1', env })).toEqual(['error datastore-migration'])
  })
})

describe('dropped-env', () => {
  const allow = ['datastore-migration']
  const dropped = (env: string[], from = 'v2.6.12', to = 'v3.0.1') =>
    found({ from, to, env, allow }).filter((one) => one.endsWith('dropped-env'))

  it.each<[string[], string[]]>([
    [[], []],
    [['ETCD_AUTHORITY=192.0.2.1:2379'], ['error dropped-env']],
    [['ETCD_AUTHORITY=192.0.2.1:2379', 'ETCD_SCHEME=https'], ['error dropped-env']],
    [['ETCD_AUTHORITY=', 'ETCD_SCHEME='], []],
    [['ETCD_AUTHORITY=192.0.2.1:2379', 'ETCD_ENDPOINTS=http://192.0.2.1:2379'], []],
    [['CALICO_NETWORKING_BACKEND=gobgp'], ['error dropped-env']],
    [['CALICO_NETWORKING_BACKEND=bird'], []],
    [['CALICO_LIBNETWORK_ENABLED=true'], ['warning dropped-env']],
    [['CALICO_LIBNETWORK_ENABLED=false'], []],
    [
      ['ETCD_SCHEME=https', 'CALICO_NETWORKING_BACKEND=gobgp'],
      ['error dropped-env', 'error dropped-env'],
    ],
  ])('of %j', (env, codes) => {
    expect(dropped(env)).toEqual(codes)
  })

  it('concerns the way to v3 alone', () => {
    const env = ['ETCD_AUTHORITY=192.0.2.1:2379']
    expect(dropped(env, 'v2.6.5', 'v2.6.12')).toEqual([])
    expect(dropped(env, 'v3.0.1', 'v3.1.0')).toEqual([])
    expect(dropped(env, 'v2.6.5', 'latest')).toEqual([])
    expect(dropped(env, 'latest', 'v3.1.0')).toEqual(['warning dropped-env'])
  })
})
