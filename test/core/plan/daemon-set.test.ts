import { describe, expect, it } from 'vitest'
import { flexvolImage } from '../../../agent/core/kubernetes/flexvol.ts'
import type { Observed, ObservedImage } from '../../../agent/core/model.ts'
import { prefetchPlan, upgradePlan } from '../../../agent/core/plan/build.ts'
import { settleByHand } from '../../../agent/core/plan/by-hand/by-hand.ts'
import { daemonSetBackPart, isPodBack } from '../../../agent/core/plan/daemon-set-back.ts'
import type { Plan } from '../../../agent/core/plan/plan.ts'
import { preflight } from '../../../agent/core/preflight.ts'
import type { Wanted } from '../../../agent/core/wanted.ts'
import { bindStep } from '../../../agent/steps/registry.ts'
import { CNI, cniFrom, daemonSet, hostedNode, images, NODE } from '../daemon-set.ts'
import { digest, image, observed, wanted } from '../observed.ts'

const NEXT = 'calico/node:v3.20.0'

const imageOf = (ref: string, letter = 'b'): ObservedImage => ({
  ...{ ref, local: null },
  remote: { digest: digest(letter), platforms: [] },
})

const planned = (seen: Partial<Observed>, asked: Wanted = wanted): Plan =>
  upgradePlan({
    ...{ run: 'R1', wanted: asked, observed: observed({ node: hostedNode(), ...seen }) },
    leftovers: { containers: [], images: [], files: [] },
  }).plan

describe('by hand', () => {
  const linesOf = (ref: string): string =>
    settleByHand(planned({ node: hostedNode({ template: images(ref) }), image: imageOf(ref) }), '/j') ?? ''

  it('sets the images that differ, and none where none does', () => {
    expect(linesOf(NEXT)).toContain(`set image daemonset/calico-node calico-node=${NODE}\n`)
    expect(linesOf(NODE)).not.toContain('set image')
  })
})

describe('the FlexVolume driver of a release', () => {
  const flexvol = imageOf('calico/pod2daemon-flexvol:v3.20.0')
  const driver = {
    list: 'initContainers' as const,
    name: 'flexvol',
    image: 'calico/pod2daemon-flexvol:v3.17.6',
  }
  const withDriver = [driver, ...images()]
  const set = daemonSet()
  const node = hostedNode({ template: withDriver, pod: { ...set.pod, images: withDriver } })
  const local = image('3', `calico/pod2daemon-flexvol@${digest('b')}`)
  const pulls = (seen: Partial<Observed>): string[] =>
    planned({ node, image: imageOf(NEXT), ...seen }).steps.flatMap((step) =>
      step.kind === 'pull-image' ? [step.args.image] : [],
    )

  it('is pulled where it is asked for and not here', () => {
    expect(flexvolImage(withDriver, NEXT)).toBe(flexvol.ref)
    expect(flexvolImage(images(), NEXT)).toBeNull()
    expect(pulls({ flexvol })).toEqual([NEXT, flexvol.ref])
    expect(pulls({ flexvol: { ...flexvol, local } })).toEqual([NEXT])
    expect(pulls({})).toEqual([NEXT])
  })
})

describe('the plugins alone, where the DaemonSet installs them', () => {
  const next = 'calico/cni:v3.20.0'
  const source = { kind: 'image' as const, image: next }
  const asked: Wanted = {
    ...wanted,
    ...{ node: { ...wanted.node, image: null }, cni: { ...wanted.cni, source } },
  }
  const seen = { image: null, cni: cniFrom(imageOf(next)) }

  it('change the template, and this host’s pod, with calico/node as it is', () => {
    const { components, steps } = planned(seen, asked)
    expect(components).toEqual({ cni: { from: CNI, to: next } })
    expect(steps.map(({ kind }) => kind)).toEqual(['pull-image', 'swap-pod', 'commit', 'restore-strategy'])
    const swap = steps.find((step) => step.kind === 'swap-pod')?.args
    expect([swap?.from, swap?.to]).toEqual([NODE, NODE])
    expect(steps.map((step) => bindStep(step).summary).join()).toContain(`set the template to ${next} with`)
    expect(swap?.images.map(({ to }) => to)).toEqual([next, NODE])
  })

  it('change nothing where the pod has them', () => {
    const { pod } = daemonSet()
    const ofNext = images(NODE, next)
    const node = hostedNode({ template: ofNext, pod: { ...pod, images: ofNext } })
    expect(planned({ ...seen, node }, asked).steps).toEqual([])
  })

  it('are fetched ahead as an image', () => {
    const host = observed({ node: hostedNode(), ...seen })
    const { components, steps } = prefetchPlan({ run: 'R1', wanted: asked, observed: host })
    expect(components).toEqual({ cni: { from: CNI, to: next } })
    expect(steps.map(({ kind }) => kind)).toEqual(['pull-image'])
  })

  it('come back as such', () => {
    const { steps } = planned(seen, asked)
    const swap = steps.find((step) => step.kind === 'swap-pod')?.args
    const on = { run: 'R2', wanted: asked, engineHostname: 'x', node: hostedNode(), daemonSet: daemonSet() }
    expect(swap && daemonSetBackPart(on, swap, [])).toMatchObject({
      component: 'cni',
      change: { from: next, to: CNI },
    })
  })

  it('are held to the rules of a swap', () => {
    const rolling = observed({ node: hostedNode({ isRolling: true }), ...seen })
    const codes = preflight(rolling, { ...asked, windowMs: 1_000 }).map(({ code }) => code)
    expect(codes).toEqual(expect.arrayContaining(['daemonset-rolling', 'window-too-short']))
  })

  it('are refused from a directory, and where the template has another calico/node', () => {
    const plugins = (one: Partial<Observed>): string =>
      preflight(observed({ ...seen, ...one }), asked)
        .filter(({ code }) => code === 'daemonset-plugins')
        .map(({ message }) => message)
        .join()
    expect(plugins({ node: hostedNode() })).toBe('')
    expect(plugins({ node: hostedNode(), cni: { ...seen.cni, image: null } })).toContain('its own image')
    expect(plugins({ node: hostedNode({ template: images(NEXT) }) })).toContain('another calico/node')
  })
})

describe('a pod is back', () => {
  const { steps } = planned({ image: imageOf(NEXT) })
  const swap = steps.find((step) => step.kind === 'swap-pod')?.args
  const isBack = (ofNode: string, cni: string): boolean | null => {
    const { pod } = daemonSet()
    return swap ? isPodBack(daemonSet({ pod: { ...pod, images: images(ofNode, cni) } }), swap) : null
  }

  it('where each of its images is, the plugins’ as well', () => {
    expect([isBack(NODE, CNI), isBack(NEXT, CNI), isBack(NODE, 'calico/cni:v3.20.0')]).toEqual([
      ...[true, false, false],
    ])
  })
})
