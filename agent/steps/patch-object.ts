import { AgentError } from '../core/errors.ts'
import type { Json } from '../core/json/merge-patch.ts'
import { unlessConflict } from '../core/kubernetes/conflict.ts'
import type { Kind, Kubernetes, KubernetesObjects, ObjectRef, PatchType } from '../ports/kubernetes.ts'

/** The object after the patch that `decide` makes of it, as it is at that moment; null is nothing to change. */
export async function patchObject<K extends Kind>(
  api: Kubernetes,
  ref: ObjectRef<K>,
  decide: (object: KubernetesObjects[K]) => Json | null,
  type: PatchType = 'strategic',
): Promise<KubernetesObjects[K]> {
  return await unlessConflict(async () => {
    const object = await api.get(ref)
    if (object === null) throw gone(ref)
    const patch = decide(object)
    return patch === null ? object : await api.patch(ref, patch, type)
  })
}

export function gone({ kind, namespace, name }: ObjectRef<Kind>): AgentError {
  const what = namespace === undefined ? name : `${namespace}/${name}`
  return new AgentError('kubernetes-gone', `cannot change ${kind} ${what}: it is gone`, {
    fix: `kubectl get ${kind.toLowerCase()}s -A shows whether it is there`,
  })
}
