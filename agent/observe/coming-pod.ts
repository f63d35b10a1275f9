import { AgentError, type Problem } from '../core/errors.ts'
import { comingPod } from '../core/kubernetes/coming-pod.ts'
import type { ObservedCluster } from '../core/kubernetes/node.ts'
import { selectorOf } from '../core/kubernetes/object.ts'
import type { ObservedNode } from '../core/model.ts'
import { hasTarget, type Wanted } from '../core/wanted.ts'
import type { Kubernetes } from '../ports/kubernetes.ts'

/** calico.yaml's. */
const NAMESPACE = 'kube-system'

/**
 * Why a Node without calico/node will have it soon; undefined where nothing says so, or where the cluster cannot be asked. The
 * DaemonSet has the name of the container.
 */
export async function observeComingPod(
  wanted: Wanted,
  kubernetes: Kubernetes | null,
  seen: { node: Promise<ObservedNode | null>; cluster: Promise<ObservedCluster | undefined> },
): Promise<Problem | undefined> {
  // a look without a target, as for each scrape, need not ask
  if (kubernetes === null || !hasTarget(wanted) || (await seen.node) !== null) return undefined
  const node = (await seen.cluster)?.node?.name
  if (node === undefined) return undefined
  const { container } = wanted.node
  try {
    const set = await kubernetes.get({ kind: 'DaemonSet', namespace: NAMESPACE, name: container })
    if (set === null) return undefined
    const pods = await kubernetes.list({ kind: 'Pod', namespace: NAMESPACE }, selectorOf(set))
    return comingPod(set, pods, { node, container }) ?? undefined
  } catch (error) {
    if (error instanceof AgentError) return undefined
    throw error
  }
}
