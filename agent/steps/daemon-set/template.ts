import { AgentError, ExitCode } from '../../core/errors.ts'
import {
  type DaemonSetObject,
  imagesOf,
  isSame,
  type TemplateImage,
  templateMark,
  templatePatch,
} from '../../core/kubernetes/daemon-set.ts'
import type { StepArgs } from '../../core/plan/plan.ts'
import { apiOf, patchObject, readObject } from '../cluster/object.ts'
import type { StepContext } from '../step.ts'

type SwapPod = StepArgs['swap-pod']

export const refOf = (set: SwapPod['set']) => ({ kind: 'DaemonSet', ...set }) as const

/** @throws AgentError `template-changed` where it is not what the plan was made from any more */
export async function checkTemplate({ set, images }: SwapPod, context: StepContext): Promise<void> {
  refuseOthers(await readObject(apiOf(context), refOf(set)), images)
}

export async function applyTemplate({ set, images, run }: SwapPod, context: StepContext): Promise<void> {
  await patchObject(apiOf(context), refOf(set), (now) => {
    refuseOthers(now, images)
    return templatePatch(now, targets(images, 'to'), run)
  })
}

function refuseOthers({ metadata, spec }: DaemonSetObject, images: SwapPod['images']): void {
  const now = imagesOf(spec.template.spec)
  for (const { list, name, was, to } of images) {
    const image = now.find((one) => one.list === list && one.name === name)?.image
    if (image !== undefined && [was, to].includes(image)) continue
    const { namespace, name: set } = metadata
    throw new AgentError(
      'template-changed',
      `cannot change the template of DaemonSet ${namespace}/${set}: someone else changed it during the run: ${image === undefined ? `${name} is gone` : `${name} has ${image}`}`,
      {
        fix: `check kubectl -n ${namespace} rollout history daemonset/${set}, then run the upgrade again`,
        exitCode: ExitCode.refused,
      },
    )
  }
}

/**
 * Restores the images that this host's pod had or, where the pod has not moved, those that the template had: the rollout
 * that other hosts began goes on. Returns whether the template has them now: what others changed stays.
 */
export async function restoreTemplate(
  { set, images, run }: SwapPod,
  isMoved: boolean,
  context: StepContext,
): Promise<boolean> {
  const old = targets(images, isMoved ? 'from' : 'was')
  const after = await patchObject(apiOf(context), refOf(set), (now) =>
    templateMark(now) !== null && isOfRun(now, images) ? templatePatch(now, old, run) : null,
  )
  return hasImages(after, old)
}

/** Nobody has changed it since it was restored for a pod of the old images. */
export async function isStillRestored({ set, images }: SwapPod, context: StepContext): Promise<boolean> {
  return hasImages(await readObject(apiOf(context), refOf(set)), targets(images, 'from'))
}

/** Has what the run wrote, or what was there before: another agent may be at a newer rollout. */
function isOfRun({ spec }: DaemonSetObject, images: SwapPod['images']): boolean {
  const now = imagesOf(spec.template.spec)
  return images.every(({ list, name, from, was, to }) => {
    const image = now.find((one) => one.list === list && one.name === name)?.image
    return image !== undefined && [from, was, to].includes(image)
  })
}

function hasImages({ spec }: DaemonSetObject, images: TemplateImage[]): boolean {
  const now = imagesOf(spec.template.spec)
  return images.every((one) => now.some((other) => isSame(one, other)))
}

export function targets(images: SwapPod['images'], side: 'from' | 'was' | 'to'): TemplateImage[] {
  return images.map(({ list, name, ...image }) => ({ list, name, image: image[side] }))
}
