import { describe, expect, it } from 'vitest'
import type { Companions } from '../../../agent/core/model.ts'
import { preflight } from '../../../agent/core/preflight.ts'
import { type Release, releaseImages } from '../../../agent/core/release/releases.ts'
import { newImage, observed, wanted } from '../observed.ts'

const unknown: Companions = { cni: null, controllers: null }

function mismatches(tag: string, companions: Partial<Companions>, release: Release | null = null): string[] {
  const image = { ...newImage, ref: `calico/node:${tag}` }
  const host = observed({ image, companions: { ...unknown, ...companions } })
  const found = preflight(host, { ...wanted, release, allow: ['downgrade', 'datastore-migration'] })
  return found.flatMap(({ code, message }) => (code === 'mismatched-set' ? [message] : []))
}

function release(name: string): Release {
  const images = releaseImages(name, { registry: 'quay.io', releases: {} })
  if (images === null) throw new Error(`no release ${name}`)
  return { name, images }
}

describe('mismatched-set', () => {
  it.each<[string, Partial<Companions>, string[]]>([
    ['v2.6.12', {}, []],
    ['v2.6.12', { cni: '1.11.8', controllers: '1.0.5' }, []],
    ['v2.6.12', { cni: '1.11.2' }, ['this host will run cni v1.11.2, but release v2.6.12 includes v1.11.8']],
    [
      'v3.26.1',
      { cni: '1.11.8', controllers: '1.0.5' },
      [
        'this host will run cni v1.11.8, but release v3.26.1 includes v3.26.1',
        'this host will run controllers v1.0.5, but release v3.26.1 includes v3.26.1',
      ],
    ],
    ['v1.3.0', { cni: '1.9.1', controllers: '0.6.0' }, []],
    ['latest', { cni: '1.11.2' }, []],
    ['v2.6.4', { cni: '1.11.2' }, []],
  ])('of node %s beside %j', (tag, companions, messages) => {
    expect(mismatches(tag, companions)).toEqual(messages)
  })

  it('holds all against the release that is named', () => {
    expect(mismatches('v2.6.5', { cni: '1.11.8' }, release('v2.6.12'))).toEqual([
      'this host will run node v2.6.5, but release v2.6.12 includes v2.6.12',
    ])
    const own = { ...release('v2.6.12'), images: { ...release('v2.6.12').images, cni: 'mine/cni:next' } }
    expect(mismatches('v2.6.12', { cni: '1.11.2' }, own)).toEqual([])
    const site = { ...own, images: { ...own.images, node: 'mine/node:v2.6.12-site' } }
    expect(mismatches('v2.6.12-site', {}, site)).toEqual([])
    expect(mismatches('v2.6.11-site', {}, site)).toHaveLength(1)
  })
})
