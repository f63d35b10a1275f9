import { AgentError } from '../../core/errors.ts'
import type { Json } from '../../core/json/merge-patch.ts'
import { unlessConflict } from '../../core/kubernetes/conflict.ts'
import { goneError } from '../../core/kubernetes/gone.ts'
import type { Kind, Kubernetes, KubernetesObjects, ObjectRef, PatchType } from '../../ports/kubernetes.ts'
import type { StepContext } from '../step.ts'

/** @throws AgentError `kubernetes-credential` if the section has been removed from the config */
export function apiOf({ kubernetes }: Pick<StepContext, 'kubernetes'>): Kubernetes {
  if (kubernetes) return kubernetes
  throw new AgentError('kubernetes-credential', 'cannot reach the cluster: none is configured', {
    fix: 'restore the section kubernetes in the config',
  })
}

/** @throws AgentError `kubernetes-gone` */
export async function readObject<K extends Kind>(
  api: Kubernetes,
  ref: ObjectRef<K>,
): Promise<KubernetesObjects[K]> {
  const object = await api.get(ref)
  if (object === null) throw goneError(ref)
  return object
}

/**
 * The object after the patch that `decide` makes of it, as it is at that moment; null is nothing to change.
 * @throws AgentError `kubernetes-gone`
 */
export async function patchObject<K extends Kind>(
  api: Kubernetes,
  ref: ObjectRef<K>,
  decide: (object: KubernetesObjects[K]) => Json | null,
  type: PatchType = 'strategic',
): Promise<KubernetesObjects[K]> {
  return await unlessConflict(async () => {
    const object = await readObject(api, ref)
    const patch = decide(object)
    return patch === null ? object : await api.patch(ref, patch, type)
  })
}
