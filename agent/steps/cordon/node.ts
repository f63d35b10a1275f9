import { AgentError } from '../../core/errors.ts'
import type { Json } from '../../core/json/merge-patch.ts'
import { type ClusterNode, clusterNode, type NodeObject, uncordonPatch } from '../../core/kubernetes/node.ts'
import type { Kubernetes } from '../../ports/kubernetes.ts'
import { apiOf, patchObject } from '../cluster/object.ts'

/** The Node after the patch that `decide` returns for its current state; null means nothing to change. */
export async function patchNode(
  kubernetes: Kubernetes | null,
  name: string,
  decide: (node: NodeObject) => Json | null,
): Promise<ClusterNode> {
  const api = apiOf({ kubernetes })
  return clusterNode(await patchObject(api, { kind: 'Node', name }, decide, 'merge'))
}

/** Removes the run's mark, if it is still there. A Node that is gone comes back schedulable. */
export async function uncordon(
  kubernetes: Kubernetes | null,
  { node, run }: { node: string; run: string },
): Promise<void> {
  try {
    await patchNode(kubernetes, node, (now) => uncordonPatch(now, run))
  } catch (error) {
    if (!isGone(error)) throw error
  }
}

/** Before the patch, or at the moment of it. */
function isGone(error: unknown): boolean {
  return error instanceof AgentError && error.code === 'kubernetes-gone'
}
