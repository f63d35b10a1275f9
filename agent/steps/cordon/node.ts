import { AgentError } from '../../core/errors.ts'
import type { Json } from '../../core/json/merge-patch.ts'
import { type ClusterNode, clusterNode, type NodeObject, uncordonPatch } from '../../core/kubernetes/node.ts'
import type { Kubernetes } from '../../ports/kubernetes.ts'

/** A Node is written every few minutes by its kubelet, and by whoever labels it. */
const MAX_CONFLICTS = 10

/** The Node after the patch that `decide` returns for its current state; null means nothing to change. */
export async function patchNode(
  kubernetes: Kubernetes | null,
  name: string,
  decide: (node: NodeObject) => Json | null,
): Promise<ClusterNode> {
  const api = configured(kubernetes, name)
  const ref = { kind: 'Node', name } as const
  for (let conflicts = 0; ; conflicts++) {
    const node = await api.get(ref)
    if (node === null) throw gone(name)
    const patch = decide(node)
    if (patch === null) return clusterNode(node)
    try {
      return clusterNode(await api.patch(ref, patch))
    } catch (error) {
      if (!isConflict(error) || conflicts >= MAX_CONFLICTS) throw error
    }
  }
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

function configured(kubernetes: Kubernetes | null, name: string): Kubernetes {
  if (kubernetes) return kubernetes
  throw new AgentError('kubernetes-credential', `cannot change Node ${name}: no cluster is configured`, {
    fix: 'restore the section kubernetes in the config',
  })
}

function gone(name: string): AgentError {
  return new AgentError('kubernetes-node', `cannot change Node ${name}: the cluster has no such Node`, {
    fix: 'kubectl get nodes lists them; set kubernetes.node to the one of this host',
  })
}

function isConflict(error: unknown): boolean {
  return error instanceof AgentError && error.code === 'kubernetes-conflict'
}

/** Before the patch, or at the moment of it. */
function isGone(error: unknown): boolean {
  return error instanceof AgentError && ['kubernetes-node', 'kubernetes-gone'].includes(error.code)
}
