import { describe, expect, it } from 'vitest'
import { RUN_LABEL } from '../../../agent/core/docker/container-spec.ts'
import { imageChange, runsAlready } from '../../../agent/core/docker/image-state.ts'
import type { ObservedImage, ObservedNode } from '../../../agent/core/model.ts'
import { nodeOrUnitBack, prefetchPlan, upgradePlan } from '../../../agent/core/plan/build.ts'
import { joinParts } from '../../../agent/core/plan/part.ts'
import type { Plan } from '../../../agent/core/plan/plan.ts'
import { container, digest, image, node, observed, unreachable, wanted } from '../observed.ts'

const RUN = '20261122T141503Z-7f3a'
const input = { run: RUN, wanted, leftovers: { containers: [], images: [], files: [] } }
const kinds = ({ steps }: Plan) => steps.map(({ kind }) => kind)

/** The wanted image under a reference, as the registry has it, and as this host has it. */
function asked(ref: string, registry: string | null, local: ObservedImage['local'] = null): ObservedImage {
  return { ref, local, remote: registry === null ? unreachable : { digest: digest(registry), platforms: [] } }
}

/** The same, where only a pull can ask the registry. */
function unasked(ref: string, local: ObservedImage['local'] = null): ObservedImage {
  return { ref, local, remote: { unasked: true } }
}

const running = image('1', `calico/node@${digest('a')}`)
const other = image('2', `calico/node@${digest('b')}`)

describe('what runs already', () => {
  it.each<[string, ObservedImage, boolean]>([
    ['the tag has the digest that runs', asked('calico/node:v2.6.5', 'a', running), true],
    ['another tag has the digest that runs', asked('calico/node:stable', 'a'), true],
    ['the digest itself is asked for', asked(`calico/node@${digest('a')}`, 'a', running), true],
    ['the tag moved in the registry', asked('calico/node:v2.6.5', 'b', running), false],
    ['the tag moved in the registry, and was pulled', asked('calico/node:v2.6.5', 'b', other), false],
    ['another digest is asked for', asked(`calico/node@${digest('b')}`, 'b'), false],
    ['the same image is in another repository', asked('quay.io/calico/node:v2.6.5', 'a'), true],
    ['the registry is away and the local image runs', asked('calico/node:v2.6.5', null, running), true],
    ['the registry is away and the local image is another', asked('calico/node:v2.6.5', null, other), false],
    ['the registry is away and there is no local image', asked('calico/node:v2.6.5', null), false],
    [
      'the registry is away and the image is local without any digest',
      asked('mine:1', null, image('1')),
      true,
    ],
    ['nobody can be asked, and the name is the same', unasked('calico/node:v2.6.5'), true],
    ['nobody can be asked, and the name is another', unasked('calico/node:v2.6.12'), false],
    ['nobody can be asked, and the local image runs', unasked('mine:1', running), true],
    ['nobody can be asked, and the local image is another', unasked('calico/node:v2.6.5', other), false],
  ])('is judged when %s', (_, wantedImage, already) => {
    expect(runsAlready(node({ image: running }), wantedImage)).toBe(already)
  })

  it('is nothing while the container is stopped', () => {
    const stopped = node({ container: container({ Running: false }), image: running })
    expect(runsAlready(stopped, asked('calico/node:v2.6.5', 'a', running))).toBe(false)
  })

  it('is told by the name while the kubelet has not reported what the container was made from', () => {
    const young = node({ container: container({ Image: '' }), image: null })
    expect(runsAlready(young, unasked('calico/node:v2.6.5', other))).toBe(true)
    expect(runsAlready(young, unasked('calico/node:v2.6.12', other))).toBe(false)
  })

  it('is not known when the image of the container was pruned', () => {
    expect(runsAlready(node({ image: null }), asked('calico/node:v2.6.5', 'a', running))).toBe(false)
  })
})

describe('a change between two equal names', () => {
  const moved = asked('calico/node:v2.6.5', 'b', other)
  const same = asked('calico/node:v2.6.5', 'a', running)
  it.each<[string, ObservedNode, ObservedImage, true | undefined]>([
    ['the tag means another image now', node({ image: running }), moved, true],
    ['the image runs', node({ image: running }), same, undefined],
    [
      'the container is stopped',
      node({ container: container({ Running: false }), image: running }),
      same,
      undefined,
    ],
    ['the image was pruned', node({ image: null }), same, undefined],
    ['the names differ', node({ image: running }), asked('calico/node:v2.6.12', 'b', other), undefined],
  ])('says that the tag moved only where it did: %s', (_, running, to, tagMoved) => {
    expect(imageChange(running, to).tagMoved).toBe(tagMoved)
    const plan = upgradePlan({ ...input, observed: observed({ node: running, image: to }) }).plan
    expect(plan.components.node?.tagMoved).toBe(tagMoved)
  })
})

describe('a pull is needed', () => {
  it.each<[string, ObservedImage, boolean]>([
    ['not here', asked('calico/node:v2.6.12', 'b'), true],
    ['here', asked('calico/node:v2.6.12', 'b', other), false],
    ['here, and the tag moved', asked('calico/node:v2.6.12', 'c', other), true],
    ['here by its digest', asked(`calico/node@${digest('b')}`, 'b', other), false],
    ['here under another repository only', asked('quay.io/calico/node:v2.6.12', 'b', other), true],
    ["here by Docker Hub's full name", asked('docker.io/calico/node:v2.6.12', 'b', other), false],
    ['here, with the registry away', asked('calico/node:v2.6.12', null, other), false],
    ['not here, with the registry away', asked('calico/node:v2.6.12', null), true],
    ['here, built or loaded', asked('calico/node:v2.6.12', 'b', image('2')), true],
    [
      'here, with no digests at all',
      asked('calico/node:v2.6.12', 'b', { ...other, RepoDigests: null }),
      true,
    ],
  ])('or not, when the image is %s', (_, wantedImage, pull) => {
    expect(kinds(prefetchPlan({ ...input, observed: observed({ node: null, image: wantedImage }) }))).toEqual(
      pull ? ['pull-image'] : [],
    )
  })
})

describe('upgradePlan', () => {
  it('pulls, prepares, swaps and commits', () => {
    const { plan } = upgradePlan({ ...input, observed: observed() })
    expect(kinds(plan)).toEqual(['pull-image', 'create-container', 'swap-container', 'commit'])
    expect(plan).toMatchObject({
      run: RUN,
      command: 'upgrade',
      components: { node: { from: 'calico/node:v2.6.5', to: 'calico/node:v2.6.12' } },
    })
  })

  it('is empty, with no diff, where the image runs', () => {
    const image_ = asked('calico/node:v2.6.5', 'a', running)
    const { plan, diff } = upgradePlan({
      ...input,
      observed: observed({ node: node({ image: running }), image: image_ }),
    })
    expect(plan.steps).toEqual([])
    expect(diff).toEqual([])
  })

  it('pulls nothing that is here', () => {
    const { plan } = upgradePlan({
      ...input,
      observed: observed({ image: asked('calico/node:v2.6.12', 'b', other) }),
    })
    expect(kinds(plan)).toEqual(['create-container', 'swap-container', 'commit'])
  })

  it('cleans up last, and only what is left over', () => {
    const leftovers = { containers: ['old'], images: ['calico/node:v2.6.1'], files: [] }
    const { plan } = upgradePlan({ ...input, leftovers, observed: observed() })
    expect(plan.steps.at(-1)).toEqual({
      kind: 'clean-up',
      component: 'node',
      args: { containers: ['old'], images: ['calico/node:v2.6.1'] },
    })
  })

  it('prepares the container on trial, and keeps the old one with its way back', () => {
    const { plan } = upgradePlan({ ...input, observed: observed() })
    const [, create, swap, commit] = plan.steps
    expect(create?.args).toMatchObject({
      name: `calico-node-next-${RUN}`,
      run: RUN,
      spec: {
        body: {
          Image: 'calico/node:v2.6.12',
          Env: ['NODENAME=host-1'],
          Labels: { [RUN_LABEL]: RUN },
          HostConfig: { RestartPolicy: { Name: 'no' } },
        },
      },
    })
    const old = {
      id: 'c'.repeat(64),
      name: 'calico-node',
      policy: { Name: 'always' },
      wasRunning: true,
      autoRemove: false,
      image: 'calico/node:v2.6.5',
      imageId: digest('1'),
      spec: { body: { Image: 'calico/node:v2.6.5', HostConfig: { RestartPolicy: { Name: 'always' } } } },
    }
    expect(swap?.args).toMatchObject({ old, next: { createdBy: RUN } })
    expect(commit?.args).toMatchObject({
      containers: [{ old, next: { createdBy: RUN }, parkName: `calico-node-parked-${RUN}` }],
    })
  })

  it.each<[string, Parameters<typeof node>[0], number, object]>([
    ['the smallest time of all', { announcedMs: 60_000 }, 90_000, { budgetMs: 60_000, reserveMs: 20_000 }],
    ["the operator's", {}, 45_000, { budgetMs: 45_000, reserveMs: 15_000 }],
    [
      "Calico's, where no BIRD runs",
      { daemons: [], backend: 'none', announcedMs: 0 },
      90_000,
      { budgetMs: 90_000, daemons: [] },
    ],
  ])('gates with %s', (_, changes, windowMs, gate) => {
    const { plan } = upgradePlan({
      ...input,
      wanted: { ...wanted, windowMs },
      observed: observed({ node: node(changes) }),
    })
    const swap = plan.steps.find(({ kind }) => kind === 'swap-container')
    expect(swap?.args).toMatchObject({ gate: { settleMs: 10_000, ...gate } })
  })

  it('shows the image as the only change', () => {
    const { diff } = upgradePlan({ ...input, observed: observed() })
    const [entry] = diff
    expect(entry?.target).toBe('container calico-node')
    expect(entry?.after).toBe(entry?.before.replace('calico/node:v2.6.5', 'calico/node:v2.6.12'))
    expect(entry?.after).not.toContain(RUN)
  })
})

describe('nodeOrUnitBack', () => {
  type Replaced = Parameters<typeof nodeOrUnitBack>[1]
  const planOf = (from: ObservedNode, replaced: Replaced): Plan => {
    const part = nodeOrUnitBack({ ...input, engineHostname: 'host-1', node: from }, replaced)
    return joinParts({ run: RUN, command: 'rollback' }, [part], input.leftovers, null).plan
  }

  const upgraded = upgradePlan({ ...input, observed: observed() }).plan
  const swap = upgraded.steps.find((step) => step.kind === 'swap-container')
  if (!swap) throw new Error('no swap')
  const { old } = swap.args
  const now = node({
    container: { ...container(), Id: 'd'.repeat(64), Config: { Image: 'calico/node:v2.6.12' } },
  })
  const replaced = { old, parked: true, image: old.image, imageIsLocal: true, imageConfig: null }

  it('starts the parked container again, and never derives it anew', () => {
    const plan = planOf(now, replaced)
    expect(kinds(plan)).toEqual(['swap-container', 'commit'])
    expect(plan.command).toBe('rollback')
    expect(plan.components.node).toEqual({ from: 'calico/node:v2.6.12', to: 'calico/node:v2.6.5' })
    expect(plan.steps[0]?.args).toMatchObject({ next: { parked: old.id }, old: { id: 'd'.repeat(64) } })
  })

  it.each([
    [true, old.imageId, ['create-container', 'swap-container', 'commit']],
    [false, old.image, ['pull-image', 'create-container', 'swap-container', 'commit']],
  ])('makes a container again that is gone; its image here: %s', (imageIsLocal, image_, steps) => {
    const plan = planOf(now, { ...replaced, parked: false, image: image_, imageIsLocal })
    expect(kinds(plan)).toEqual(steps)
    const create = plan.steps.find(({ kind }) => kind === 'create-container')
    expect(create?.args).toMatchObject({
      spec: { body: { Image: image_, HostConfig: { RestartPolicy: { Name: 'no' } } } },
    })
  })
})
