import { AgentError } from '../core/errors.ts'
import { type DaemonSetObject, isAsTemplate } from '../core/kubernetes/daemon-set.ts'
import { type PodObject, type PodTemplate, REVISION_LABEL } from '../core/kubernetes/pod.ts'
import type { Kubernetes } from '../ports/kubernetes.ts'

/** The template that a pod was made from, as the DaemonSet's controller keeps it; null where it does not. */
export async function templateOfPod(
  pod: PodObject,
  set: string,
  api: Pick<Kubernetes, 'getObject'>,
): Promise<PodTemplate | null> {
  const { namespace, labels = {} } = pod.metadata
  const hash = labels[REVISION_LABEL]
  if (hash === undefined) return null
  const revision = await api.getObject({
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    namespace,
    name: `${set}-${hash}`,
  })
  const { template } =
    (revision?.['data'] as { spec?: { template?: PodTemplate & { $patch?: string } } } | undefined)?.spec ??
    {}
  if (template === undefined) return null
  return Object.fromEntries(
    Object.entries(template).filter(([field]) => field !== '$patch'),
  ) as unknown as PodTemplate
}

/**
 * The same where the pod differs from the DaemonSet's template: an admission webhook may have changed it. Null also without
 * the right to read it, which no upgrade needs.
 */
export async function templateOfOther(
  pod: PodObject,
  set: DaemonSetObject,
  api: Pick<Kubernetes, 'getObject'>,
): Promise<PodTemplate | null> {
  if (isAsTemplate(set, pod)) return null
  try {
    return await templateOfPod(pod, set.metadata.name, api)
  } catch (error) {
    if (error instanceof AgentError && error.code === 'kubernetes-forbidden') return null
    throw error
  }
}
