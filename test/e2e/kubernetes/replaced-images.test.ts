// A real admission webhook has every image of a new pod come from a mirror: the pods never have the images of their templates.

import { afterAll, beforeAll, expect, it } from 'vitest'
import { grant, HOSTED_RULES, replaceImages } from '../../lab/index.ts'
import { agent, costOf, expectNoCost, expectOutcome, lab } from '../support.ts'
import { publishBadImage } from './agent-pods.ts'
import {
  configureHosted,
  daemonSet,
  type HostedWorld,
  hostedWorld,
  nodeFlaws,
  podOf,
  standing,
} from './hosted.ts'

const [OLD, NEW] = ['v3.17.6', 'v3.20.0']
const { registry } = lab

const inTemplate = (tag: string): string => `${registry.address}/calico/node:${tag}`
const inPod = (tag: string): string => `${registry.mirror}/calico/node:${tag}`

let world: HostedWorld
let bad: string
let removeWebhook: () => Promise<void>

beforeAll(async () => {
  world = await hostedWorld({ release: OLD })
  const { host, kubernetes } = world
  await grant(kubernetes, [
    ...HOSTED_RULES,
    { apiGroups: ['apps'], resources: ['deployments'], verbs: ['get', 'patch'] },
  ])
  bad = await publishBadImage(host, 'exits-at-once')
  removeWebhook = await replaceImages(kubernetes, { from: `${registry.address}/`, to: `${registry.mirror}/` })
  await kubernetes.kubectl(['-n', 'kube-system', 'delete', 'pods', '--all'])
  await kubernetes.untilRolledOut()
  await world.mesh.untilSettled()
})

afterAll(() => removeWebhook())

/** Image of calico-node in the template, and in the pod of each host. */
async function nodeImages(): Promise<(string | undefined)[]> {
  const { host, peer } = world
  const specs = [
    (await daemonSet(world)).spec.template.spec,
    (await podOf(world, host)).spec,
    (await podOf(world, peer)).spec,
  ]
  return specs.map(({ containers }) => containers[0]?.image)
}

it('go back to the old ones where a new one does not come up', async () => {
  const before = await standing(world)
  expect(await nodeImages()).toEqual([inTemplate(OLD), inPod(OLD), inPod(OLD)])
  const failed = await costOf(world, () => agent(world.host, 'upgrade', '--node', bad))
  expectOutcome(failed.result, 4, 'rolled-back')
  expectNoCost(failed)
  expect(await standing(world)).toEqual(before)
})

it('are upgraded on one host after the other, once, and rolled back', async () => {
  const { host, peer } = world
  for (const each of [host, peer]) await configureHosted(each, { registry: registry.address, release: NEW })
  const [since, before] = [Date.now(), await standing(world)]
  const first = await costOf(world, () => agent(host, 'upgrade'))
  expectOutcome(first.result, 0, 'upgraded')
  expectNoCost(first)
  const codes = first.result.report.problems.map(({ code }) => code)
  expect(codes).toContain('daemonset-replaced')
  expect(await nodeImages()).toEqual([inTemplate(NEW), inPod(NEW), inPod(OLD)])
  expectOutcome(await agent(host, 'upgrade'), 0, 'unchanged')
  const last = await costOf(world, () => agent(peer, 'upgrade'))
  expectOutcome(last.result, 0, 'upgraded')
  expectNoCost(last)
  expect(await standing(world)).toMatchObject({ strategy: 'RollingUpdate', marked: false, cordoned: 0 })
  for (const each of [host, peer]) expectOutcome(await agent(each, 'upgrade'), 0, 'unchanged')

  for (const each of [host, peer]) {
    const back = await costOf(world, () => agent(each, 'rollback'))
    expectOutcome(back.result, 0, 'rolled-back')
    expectNoCost(back)
  }
  expect(await nodeImages()).toEqual([inTemplate(OLD), inPod(OLD), inPod(OLD)])
  expect(await standing(world)).toEqual(before)
  expect(await nodeFlaws(host, since)).toEqual([])
  expect(await nodeFlaws(peer, since)).toEqual([])
})
