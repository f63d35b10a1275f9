import { AgentError, ExitCode } from '../../core/errors.ts'
import {
  type DaemonSetObject,
  isMarked,
  templateMark,
  templatePatch,
} from '../../core/kubernetes/daemon-set.ts'
import {
  entriesOf,
  hasEntries,
  isSameTemplate,
  type TemplateChange,
  valueIn,
} from '../../core/kubernetes/template.ts'
import type { StepArgs } from '../../core/plan/plan.ts'
import { entriesAt } from '../../core/plan/swapped-images.ts'
import { apiOf, patchObject, readObject } from '../cluster/object.ts'
import type { StepContext } from '../step.ts'

type SwapPod = StepArgs['swap-pod']

export const refOf = (set: SwapPod['set']) => ({ kind: 'DaemonSet', ...set }) as const

/** @throws AgentError `template-changed` where it is not what the plan was made from any more */
export async function checkTemplate(args: SwapPod, context: StepContext): Promise<void> {
  refuseOthers(await readObject(apiOf(context), refOf(args.set)), args)
}

export async function applyTemplate(args: SwapPod, context: StepContext): Promise<void> {
  await patchObject(apiOf(context), refOf(args.set), (now) => {
    refuseOthers(now, args)
    return templatePatch(now, changeTo(args, 'to'), args.run)
  })
}

function changeTo({ images, templates }: SwapPod, side: 'from' | 'was' | 'to'): TemplateChange {
  return { entries: entriesAt(images, side), whole: templates?.[side] }
}

function refuseOthers(
  { metadata, spec }: DaemonSetObject,
  { images, templates }: Pick<SwapPod, 'images' | 'templates'>,
): void {
  const now = entriesOf(spec.template)
  if (templates && ![templates.was, templates.to].some((one) => isSameTemplate(one, spec.template)))
    throw changedByOthers(metadata, 'more than its images')
  for (const one of images) {
    const value = valueIn(now, one)
    if (value !== undefined && [one.was, one.to].includes(value)) continue
    const what = value === undefined ? `${one.name} is gone` : `${one.name} has ${value || 'no value'}`
    throw changedByOthers(metadata, what)
  }
}

function changedByOthers({ namespace, name }: DaemonSetObject['metadata'], what: string): AgentError {
  return new AgentError(
    'template-changed',
    `cannot change the template of DaemonSet ${namespace}/${name}: someone else changed it since: ${what}`,
    {
      fix: `check kubectl -n ${namespace} rollout history daemonset/${name}, then run it again`,
      exitCode: ExitCode.refused,
    },
  )
}

/**
 * Restores the entries that this host's pod had or, where the pod has not moved, those that the template had: the rollout
 * that other hosts began goes on. Returns whether the template has them now: what others changed stays.
 */
export async function restoreTemplate(
  args: SwapPod,
  isMoved: boolean,
  context: StepContext,
): Promise<boolean> {
  const { set, run } = args
  const old = changeTo(args, isMoved ? 'from' : 'was')
  const after = await patchObject(apiOf(context), refOf(set), (now) =>
    isOfRun(now, args) && (templateMark(now) !== null || isEndedByOthers(now, args, old))
      ? templatePatch(now, old, run)
      : null,
  )
  return hasEntries(after.spec.template, old.entries)
}

/** Nobody has changed it since it was restored for a pod of the old images. */
export function isStillRestored(args: SwapPod, context: StepContext): Promise<boolean> {
  return hasNow(args, 'from', context)
}

/** Nor since it got the new ones. */
export function isStillApplied(args: SwapPod, context: StepContext): Promise<boolean> {
  return hasNow(args, 'to', context)
}

async function hasNow({ set, images }: SwapPod, side: 'from' | 'to', context: StepContext): Promise<boolean> {
  const { spec } = await readObject(apiOf(context), refOf(set))
  return hasEntries(spec.template, entriesAt(images, side))
}

/** Has what the run wrote, or what was there before: another agent may be at a newer rollout. */
function isOfRun({ spec }: DaemonSetObject, { images }: SwapPod): boolean {
  const now = entriesOf(spec.template)
  return images.every((one) => {
    const value = valueIn(now, one)
    return value !== undefined && [one.from, one.was, one.to].includes(value)
  })
}

/**
 * Another host has ended the rollout, as a new pod counts before it has passed: no mark is left, and the template is as this
 * run wrote it.
 */
function isEndedByOthers(now: DaemonSetObject, { templates }: SwapPod, old: TemplateChange): boolean {
  const { template } = now.spec
  const isOld = old.whole ? isSameTemplate(old.whole, template) : hasEntries(template, old.entries)
  return !isMarked(now) && !isOld && (!templates || isSameTemplate(templates.to, template))
}
