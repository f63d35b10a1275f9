import { beforeEach, expect, it } from 'vitest'
import { type AnyObject, asWritten, type ObjectChange } from '../../agent/core/kubernetes/manifest.ts'
import { applyObjects } from '../../agent/steps/cluster/apply-objects.ts'
import type { StepContext } from '../../agent/steps/step.ts'
import { FakeClock } from '../fakes/clock.ts'
import { FakeKubernetes } from '../fakes/kubernetes.ts'

const object = (kind: string, name: string, rules: string): AnyObject => ({
  ...{ apiVersion: 'v1', kind, metadata: { name }, rules },
})

let api: FakeKubernetes
let context: StepContext
beforeEach(() => {
  api = new FakeKubernetes('host-1')
  api.objects.write(object('ClusterRole', 'changed', 'old'), 'kubectl')
  api.objects.write(object('CustomResourceDefinition', 'definition', 'old'), 'kubectl')
  const parts = { kubernetes: api, clock: new FakeClock(), signal: new AbortController().signal }
  context = parts as unknown as StepContext
})

const change = (kind: string, name: string, before: string | null): ObjectChange => ({
  object: object(kind, name, 'new'),
  before: before === null ? null : asWritten(object(kind, name, before)),
  after: asWritten(object(kind, name, 'new')),
})
const args = {
  path: '/calico.yaml',
  objects: [
    change('CustomResourceDefinition', 'definition', 'old'),
    change('ClusterRole', 'changed', 'old'),
    change('ClusterRole', 'created', null),
  ],
}
const rulesNow = () =>
  Object.fromEntries(api.objects.all.map(({ metadata, rules }) => [metadata.name, rules]))
const NEW = { definition: 'new', changed: 'new', created: 'new' }

it('applies all, and restores what it changed; definitions and what is new stay', async () => {
  const before = await applyObjects.capture(args, context)
  await applyObjects.do(args, before, context)
  expect(rulesNow()).toEqual(NEW)
  expect(await applyObjects.undo(args, before, context)).toEqual({ problems: [] })
  expect(rulesNow()).toEqual({ ...NEW, changed: 'old' })
  expect(await applyObjects.undo(args, before, context)).toEqual({ problems: [] })
})

it('begins where another host has applied them', async () => {
  await applyObjects.do(args, { applied: [] }, context)
  const before = await applyObjects.capture(args, context)
  expect(before).toEqual({ applied: [0, 1, 2] })
  expect(await applyObjects.goesOn(args, before, context)).toBe(true)
  // they are that host's to take back
  await applyObjects.undo(args, before, context)
  expect(rulesNow()).toEqual(NEW)
})

it('refuses what somebody else has changed since, and leaves theirs on the way back', async () => {
  await applyObjects.do(args, { applied: [] }, context)
  api.objects.write(object('ClusterRole', 'changed', 'theirs'), 'kubectl-edit')
  await expect(applyObjects.capture(args, context)).rejects.toMatchObject({
    code: 'manifest-changed',
    exitCode: 3,
  })
  expect(await applyObjects.goesOn(args, { applied: [] }, context)).toBe(false)
  const { problems } = await applyObjects.undo(args, { applied: [] }, context)
  expect(problems).toMatchObject([{ code: 'manifest-changed', severity: 'warning' }])
  expect(rulesNow()).toMatchObject({ changed: 'theirs' })
})
