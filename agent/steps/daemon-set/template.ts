import { AgentError, ExitCode } from '../../core/errors.ts'
import type { Json } from '../../core/json/merge-patch.ts'
import {
  type DaemonSetObject,
  imagesOf,
  isSame,
  type TemplateImage,
  templateMark,
  templatePatch,
} from '../../core/kubernetes/daemon-set.ts'
import type { Namespaced } from '../../core/kubernetes/object.ts'
import type { StepArgs } from '../../core/plan/plan.ts'
import type { Kubernetes } from '../../ports/kubernetes.ts'
import { patchObject } from '../patch-object.ts'
import type { StepContext } from '../step.ts'

/** The DaemonSet after the patch that `decide` returns for its current state; null means nothing to change. */
export async function patchDaemonSet(
  api: Kubernetes,
  set: Namespaced,
  decide: (set: DaemonSetObject) => Json | null,
): Promise<DaemonSetObject> {
  return await patchObject(api, { kind: 'DaemonSet', ...set }, decide)
}

type SwapPod = StepArgs['swap-pod']

/** @throws AgentError `template-changed` where it is not what the plan was made from any more */
export async function checkTemplate({ set, images }: SwapPod, context: StepContext): Promise<void> {
  await patchDaemonSet(apiOf(context), set, (now) => {
    refuseOthers(now, images)
    return null
  })
}

export async function applyTemplate({ set, images, run }: SwapPod, context: StepContext): Promise<void> {
  await patchDaemonSet(apiOf(context), set, (now) => {
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
  const after = await patchDaemonSet(apiOf(context), set, (now) =>
    templateMark(now) !== null && isOfRun(now, images) ? templatePatch(now, old, run) : null,
  )
  return hasImages(after, old)
}

/** Nobody has changed it since it was restored for a pod of the old images. */
export async function isStillRestored({ set, images }: SwapPod, context: StepContext): Promise<boolean> {
  return hasImages(await patchDaemonSet(apiOf(context), set, () => null), targets(images, 'from'))
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

/** @throws AgentError `kubernetes-credential` if the section has been removed from the config */
export function apiOf({ kubernetes }: Pick<StepContext, 'kubernetes'>): Kubernetes {
  if (kubernetes) return kubernetes
  throw new AgentError('kubernetes-credential', 'cannot reach the cluster: none is configured', {
    fix: 'restore the section kubernetes in the config',
  })
}
