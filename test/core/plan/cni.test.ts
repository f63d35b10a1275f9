import { describe, expect, it } from 'vitest'
import type { ObservedCni } from '../../../agent/core/model.ts'
import { prefetchPlan, upgradePlan } from '../../../agent/core/plan/build.ts'
import { keptPaths } from '../../../agent/core/plan/cni.ts'
import { changesOf } from '../../../agent/core/plan/plan.ts'
import type { WantedCni } from '../../../agent/core/wanted.ts'
import { newImage, observed, wanted } from '../observed.ts'

const RUN = '20261122T141503Z-7f3a'
const [one, two] = ['1'.repeat(64), '2'.repeat(64)]
const kept = ['/opt/cni/bin/.calico-agent-R0-calico.old']

const archive: WantedCni['source'] = { kind: 'archive', path: '/srv/cni.tgz' }
const image: WantedCni['source'] = { kind: 'image', image: newImage.ref }

/** calico is there in an old version, calico-ipam is not there. */
function cni(changes: Partial<ObservedCni> = {}): ObservedCni {
  return {
    installed: [
      { name: 'calico', sha256: one, version: 'v2.0.5' },
      { name: 'calico-ipam', sha256: null, version: null },
    ],
    offered: [
      { name: 'calico', sha256: two },
      { name: 'calico-ipam', sha256: two },
    ],
    version: null,
    image: null,
    nodename: { written: true, optional: false },
    problems: [],
    ...changes,
  }
}

function plan(
  source: WantedCni['source'],
  seen: ObservedCni,
  { node = false, sha256 = {} }: { node?: boolean; sha256?: Record<string, string> } = {},
) {
  return upgradePlan({
    run: RUN,
    wanted: { ...wanted, cni: { ...wanted.cni, source, sha256 } },
    observed: observed({ cni: seen, ...(!node && { image: null }) }),
    leftovers: { containers: [], images: [], files: kept },
  })
}

const kinds = ({ steps }: { steps: { kind: string }[] }) => steps.map(({ kind }) => kind)

describe('the plan for CNI plugins', () => {
  it('stages, swaps, commits, and only then cleans up what the run before kept', () => {
    const { plan: planned, diff } = plan(archive, cni())
    expect(kinds(planned)).toEqual(['stage-binaries', 'swap-binaries', 'commit', 'clean-up'])
    expect(planned.components).toEqual({ cni: { from: 'calico v2.0.5', to: '/srv/cni.tgz' } })
    expect(planned.steps[0]?.args).toEqual({
      run: RUN,
      source: archive,
      binDir: '/opt/cni/bin',
      binaries: [
        { name: 'calico', sha256: two },
        { name: 'calico-ipam', sha256: two },
      ],
      cniVersion: null,
    })
    expect(planned.steps[2]?.args).toEqual({ containers: [] })
    expect(planned.steps[3]?.args).toEqual({ containers: [], images: [], files: kept })
    expect(diff.map(({ target }) => target)).toEqual(['/opt/cni/bin/calico', '/opt/cni/bin/calico-ipam'])
    expect(diff[0]?.before).toBe(`version v2.0.5\nsha256 ${one}\n`)
  })

  it('prepares everything before the node moves, and swaps after the node', () => {
    expect(kinds(plan(archive, cni(), { node: true }).plan)).toEqual([
      'pull-image',
      'create-container',
      'stage-binaries',
      'swap-container',
      'swap-binaries',
      'commit',
      'clean-up',
    ])
  })

  it('is empty where the source has nothing else than what is there', () => {
    const offered = cni().offered?.map(({ name }) => ({ name, sha256: one })) ?? null
    const installed = cni().installed.map((plugin) => ({ ...plugin, sha256: one }))
    const { plan: planned, diff } = plan(archive, cni({ offered, installed }))
    expect([planned.steps, diff]).toEqual([[], []])
    // two names of one content are no change
    const { from, to } = planned.components.cni ?? {}
    expect([from, to]).toEqual([to, expect.any(String)])
    expect(changesOf(planned)).toEqual({})
  })

  it('pulls an image that is not here, whose content is not known by then', () => {
    const { plan: planned, diff } = plan(image, cni({ image: newImage, offered: null }))
    expect(kinds(planned).slice(0, 2)).toEqual(['pull-image', 'stage-binaries'])
    expect(planned.steps[1]?.args).toMatchObject({ binaries: [{ sha256: null }, { sha256: null }] })
    expect(planned.steps[2]?.args).toMatchObject({ image: newImage.ref })
    expect(diff[0]?.after).toContain('unknown until the pull')
  })

  it('stages by the hash that the operator pins', () => {
    const { plan: planned } = plan(image, cni({ image: newImage, offered: null }), {
      sha256: { calico: one },
    })
    expect(planned.steps[1]?.args).toMatchObject({ binaries: [{ sha256: one }, { sha256: null }] })
  })

  it('keeps what an earlier run kept where only the node changes', () => {
    expect(kinds(plan(null, cni(), { node: true }).plan).at(-1)).toBe('commit')
  })

  it('stages in a prefetch, and moves nothing', () => {
    const input = { run: RUN, wanted: { ...wanted, cni: { ...wanted.cni, source: archive } } }
    const planned = prefetchPlan({ ...input, observed: observed({ cni: cni() }) })
    expect(kinds(planned)).toEqual(['pull-image', 'stage-binaries'])
  })
})

describe('keptPaths', () => {
  it('are hidden files beside the plugins', () => {
    expect(keptPaths({ binDir: '/opt/cni/bin', run: RUN, names: ['calico'] })).toEqual([
      `/opt/cni/bin/.calico-agent-${RUN}-calico.old`,
    ])
  })
})
