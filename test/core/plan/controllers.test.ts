import { describe, expect, it } from 'vitest'
import type { ObservedControllers, ObservedImage } from '../../../agent/core/model.ts'
import { controllersOrUnitBack, prefetchPlan, upgradePlan } from '../../../agent/core/plan/build.ts'
import { canBeUpgraded, controllersBackPart } from '../../../agent/core/plan/controllers.ts'
import type { Plan } from '../../../agent/core/plan/plan.ts'
import { bindStep } from '../../../agent/steps/registry.ts'
import { container, digest, image, newImage, node, observed, unit, wanted } from '../observed.ts'
import { unitOf } from '../unit/units.ts'

const RUN = '20261122T141503Z-7f3a'
const NAME = 'calico-kube-controllers'
const controllers: ObservedControllers = {
  container: {
    ...container({ Config: { Image: 'calico/kube-controllers:v1.0.2' } }),
    Id: 'd'.repeat(64),
    Name: `/${NAME}`,
  },
  image: image('1', `calico/kube-controllers@${digest('a')}`),
  owner: { kind: 'docker' },
  unit: null,
}
const asked = (tag: string, letter = 'b'): ObservedImage => ({
  ref: `calico/kube-controllers:${tag}`,
  local: null,
  remote: { digest: digest(letter), platforms: [] },
})
const input = (changes: Parameters<typeof observed>[0]) => ({
  ...{ run: RUN, wanted, observed: observed({ controllers, ...changes }) },
  leftovers: { containers: ['parked'], images: [], files: [] },
})
const sentences = ({ steps }: Plan) => steps.map((step) => bindStep(step).summary.replaceAll(RUN, 'RUN'))
const swap = ({ steps }: Plan) => steps.find(({ kind }) => kind === 'swap-controllers')?.args

describe('a plan with controllers', () => {
  it('prepares all, commits the node, and then swaps and commits them', () => {
    const { plan } = upgradePlan(input({ node: node(), controllersImage: asked('v1.0.5') }))
    expect(sentences(plan)).toEqual([
      'pull calico/node:v2.6.12',
      'create calico-node-next-RUN from calico/node:v2.6.12',
      'pull calico/kube-controllers:v1.0.5',
      `create ${NAME}-next-RUN from calico/kube-controllers:v1.0.5`,
      'swap calico-node: kill the old container, start the new one, gate it',
      'commit: calico-node keeps the new container',
      expect.stringMatching(`^swap ${NAME}: stop the old one and wait for it, then start the new one`),
      `commit: ${NAME} keeps the new container`,
      'clean up: 1 parked container, 0 images',
    ])
    const commits = plan.steps.flatMap((step) => (step.kind === 'commit' ? [step.args.parts] : []))
    expect(commits).toEqual([['node'], ['controllers']])
  })

  it('has one commit, for all, where nothing else changes', () => {
    const { plan } = upgradePlan(input({ node: null, image: null, controllersImage: asked('v1.0.5') }))
    expect(plan.steps.filter(({ kind }) => kind === 'commit')).toMatchObject([{ component: 'controllers' }])
    expect(plan.steps.find(({ kind }) => kind === 'commit')?.args).not.toHaveProperty('parts')
  })

  it('finds the two new containers by labels of their own', () => {
    const { plan } = upgradePlan(input({ node: node(), controllersImage: asked('v1.0.5') }))
    const labels = plan.steps.flatMap((step) => (step.kind === 'create-container' ? [step.args.run] : []))
    expect(labels).toEqual([RUN, `${RUN}-controllers`])
  })

  it('does nothing where the image runs already', () => {
    const { plan } = upgradePlan(input({ node: null, image: null, controllersImage: asked('v1.0.2', 'a') }))
    expect(plan).toMatchObject({
      steps: [],
      components: { controllers: { to: 'calico/kube-controllers:v1.0.2' } },
    })
  })

  it.each([
    ['v1.0.5', null],
    ['v3.1.7', null],
    ['v3.2.0', ['/usr/bin/check-status', '-r']],
    ['v3.26.1-amd64', ['/usr/bin/check-status', '-r']],
    ['latest', null],
  ])('asks %s whether it is ready, if it can tell', (tag, check) => {
    const { plan } = upgradePlan(input({ node: null, image: null, controllersImage: asked(tag) }))
    expect(swap(plan)).toMatchObject({ check })
  })

  it('is fetched ahead', () => {
    const fetching = input({ image: newImage, controllersImage: asked('v1.0.5') })
    expect(sentences(prefetchPlan(fetching))).toEqual([
      'pull calico/node:v2.6.12',
      'pull calico/kube-controllers:v1.0.5',
    ])
  })

  it('goes back to the container that is parked', () => {
    const { plan } = upgradePlan(input({ node: null, image: null, controllersImage: asked('v1.0.5') }))
    const args = plan.steps.find((step) => step.kind === 'swap-controllers')?.args
    if (!args) throw new Error('no swap')
    const back = controllersBackPart(
      { run: RUN, wanted, engineHostname: 'host-1', controllers },
      { old: args.old, parked: true, image: args.old.image, imageIsLocal: true, imageConfig: null },
    )
    expect(back.prepare).toEqual([])
    expect(back.move).toMatchObject([{ kind: 'swap-controllers', args: { next: { parked: args.old.id } } }])
  })
})

describe('a plan with controllers that a unit runs', () => {
  const run = `docker run -e TOKEN=hush --name=${NAME} calico/kube-controllers:v1.0.2`
  const source = unitOf(`[Service]\nExecStart=/usr/bin/${run}\n`, { name: 'controllers.service' })
  const inUnit: ObservedControllers = {
    ...controllers,
    image: { ...image('1'), RepoTags: ['calico/kube-controllers:v1.0.2'] },
    owner: { kind: 'systemd', unit: 'controllers.service', why: 'it runs docker' },
    unit: unit({}, source),
  }
  const target = { controllers: inUnit, controllersImage: asked('v3.20.0') }

  it('restarts the unit after the commit of the node, edits its file, and commits', () => {
    const { plan, diff } = upgradePlan(input({ node: node(), ...target }))
    expect(sentences(plan).slice(2)).toEqual([
      'pull calico/kube-controllers:v3.20.0',
      'swap calico-node: kill the old container, start the new one, gate it',
      'commit: calico-node keeps the new container',
      expect.stringMatching(
        `^restart controllers.service: wait until ${NAME} has stopped, then start it from`,
      ),
      'edit /etc/systemd/system/calico-node.service: set the image of controllers.service to calico/kube-controllers:v3.20.0',
      'commit: keep what was installed',
      'clean up: 1 parked container, 0 images',
    ])
    const commits = plan.steps.flatMap((step) => (step.kind === 'commit' ? [step.args.parts] : []))
    expect(commits).toEqual([['node'], ['controllers']])
    expect(plan.steps.find(({ kind }) => kind === 'swap-controllers-unit')?.args).toMatchObject({
      change: { from: 'calico/kube-controllers:v1.0.2', to: 'calico/kube-controllers:v3.20.0' },
      check: ['/usr/bin/check-status', '-r'],
    })
    expect(JSON.stringify(diff)).not.toContain('hush')
  })

  it('does nothing where the image runs already', () => {
    const ref = { ...asked('v1.0.2'), remote: { digest: digest('a'), platforms: [] } }
    const running = { ...inUnit, image: controllers.image }
    const found = input({ node: null, image: null, controllers: running, controllersImage: ref })
    expect(upgradePlan(found).plan.steps).toEqual([])
  })

  it('goes back by the unit, and pulls an image that is gone', () => {
    const { plan } = upgradePlan(input({ node: null, image: null, ...target }))
    const args = plan.steps.find((step) => step.kind === 'swap-controllers-unit')?.args
    if (!args) throw new Error('no swap')
    const old = { ...args.old, image: 'calico/kube-controllers:v1.0.1' }
    const back = controllersOrUnitBack(
      { run: RUN, wanted, engineHostname: 'host-1', controllers: inUnit },
      { old, parked: false, image: old.image, imageIsLocal: false, imageConfig: null },
    )
    expect([...back.prepare, ...back.move].map(({ kind }) => kind)).toEqual([
      'pull-image',
      'swap-controllers-unit',
      'edit-unit',
    ])
    expect(back.move[0]).toMatchObject({ args: { change: { to: old.image }, check: null } })
    expect(back.commitsAlone).toBe(true)
  })

  it.each<[string, Partial<ObservedControllers>, boolean]>([
    ['one that can be changed', {}, true],
    ['one that is masked', { unit: unit({ load: 'masked' }, source) }, false],
    ['none that runs', { container: { ...container({ Running: false }), Name: `/${NAME}` } }, false],
    ['the kubelet', { unit: null, owner: { kind: 'kubelet', why: '' } }, false],
    ['Docker', { unit: null, owner: { kind: 'docker' } }, true],
  ])('is what a release brings to %s', (_, changes, expected) => {
    expect(canBeUpgraded({ ...inUnit, ...changes }, 'calico/kube-controllers:v3.20.0')).toBe(expected)
  })
})
