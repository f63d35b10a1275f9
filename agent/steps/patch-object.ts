import { AgentError } from '../core/errors.ts'
import type { Json } from '../core/json/merge-patch.ts'
import type { Namespaced } from '../core/kubernetes/daemon-set.ts'
import type { Kind, Kubernetes, KubernetesObjects } from '../ports/kubernetes.ts'

const MAX_CONFLICTS = 10

/** The object after the strategic merge patch that `decide` makes of it, as it is at that moment; null is nothing to change. */
export async function patchObject<K extends Kind>(
  api: Kubernetes,
  { kind, namespace, name }: Namespaced & { kind: K },
  decide: (object: KubernetesObjects[K]) => Json | null,
): Promise<KubernetesObjects[K]> {
  const ref = { kind, namespace, name }
  for (let conflicts = 0; ; conflicts++) {
    const object = await api.get(ref)
    if (object === null) throw gone(kind, `${namespace}/${name}`)
    const patch = decide(object)
    if (patch === null) return object
    try {
      return await api.patch(ref, patch, 'strategic')
    } catch (error) {
      const isConflict = error instanceof AgentError && error.code === 'kubernetes-conflict'
      if (!isConflict || conflicts >= MAX_CONFLICTS) throw error
    }
  }
}

export function gone(kind: Kind, name: string): AgentError {
  return new AgentError('kubernetes-gone', `cannot change ${kind} ${name}: it is gone`, {
    fix: `kubectl get ${kind.toLowerCase()}s -A shows whether it is there`,
  })
}
