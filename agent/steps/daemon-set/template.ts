import { AgentError } from '../../core/errors.ts'
import type { Json } from '../../core/json/merge-patch.ts'
import {
  type DaemonSetObject,
  imagesOf,
  isSame,
  type Namespaced,
  type TemplateImage,
  templateMark,
  templatePatch,
} from '../../core/kubernetes/daemon-set.ts'
import type { StepArgs } from '../../core/plan/plan.ts'
import type { Kubernetes } from '../../ports/kubernetes.ts'
import { patchObject } from '../patch-object.ts'
import type { StepContext } from '../step.ts'

/** The DaemonSet after the patch that `decide` makes of it, as it is at that moment; null is nothing to change. */
export async function patchDaemonSet(
  api: Kubernetes,
  set: Namespaced,
  decide: (set: DaemonSetObject) => Json | null,
): Promise<DaemonSetObject> {
  return await patchObject(api, { kind: 'DaemonSet', ...set }, decide)
}

type SwapPod = StepArgs['swap-pod']

export async function applyTemplate({ set, images, run }: SwapPod, context: StepContext): Promise<void> {
  await patchDaemonSet(apiOf(context), set, (now) => templatePatch(now, targets(images, 'to'), run))
}

/** Puts the images back that this host's pod had. Returns whether they stand there now: what others changed stays. */
export async function restoreTemplate({ set, images, run }: SwapPod, context: StepContext): Promise<boolean> {
  const old = targets(images, 'from')
  const after = await patchDaemonSet(apiOf(context), set, (now) =>
    templateMark(now) === null ? null : templatePatch(now, old, run),
  )
  const stands = imagesOf(after.spec.template.spec)
  return old.every((one) => stands.some((other) => isSame(one, other)))
}

function targets(images: SwapPod['images'], side: 'from' | 'to'): TemplateImage[] {
  return images.map(({ list, name, ...image }) => ({ list, name, image: image[side] }))
}

/** @throws AgentError `kubernetes-credential` where the section was taken out of the config since */
export function apiOf({ kubernetes }: Pick<StepContext, 'kubernetes'>): Kubernetes {
  if (kubernetes) return kubernetes
  throw new AgentError('kubernetes-credential', 'cannot reach the cluster: none is configured', {
    fix: 'restore the section kubernetes in the config',
  })
}
