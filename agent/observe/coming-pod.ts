import { AgentError, type Problem } from '../core/errors.ts'
import { comingPod } from '../core/kubernetes/coming-pod.ts'
import type { ObservedCluster } from '../core/kubernetes/node.ts'
import { MANIFEST_NAMESPACE } from '../core/kubernetes/object.ts'
import { podsOnNode } from '../core/kubernetes/pods-on-node.ts'
import type { ObservedNode } from '../core/model.ts'
import { hasTarget, type Wanted } from '../core/wanted.ts'
import type { Kubernetes } from '../ports/kubernetes.ts'

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
    const found = await podsOnNode(kubernetes, { namespace: MANIFEST_NAMESPACE, name: container }, node)
    return (found && comingPod(found.set, found.pods, container)) ?? undefined
  } catch (error) {
    if (error instanceof AgentError) return undefined
    throw error
  }
}
