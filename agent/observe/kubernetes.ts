import { AgentError } from '../core/errors.ts'
import type { Json } from '../core/json/merge-patch.ts'
import { CORDON_ANNOTATION, clusterNode, type ObservedCluster } from '../core/kubernetes/node.ts'
import { hasTarget, type Wanted } from '../core/model.ts'
import type { Kubernetes } from '../ports/kubernetes.ts'

/**
 * This host's Node. With a target whether it may be cordoned is asked by a dry run, admission included. Undefined where
 * no cluster is configured.
 */
export async function observeCluster(
  wanted: Wanted,
  kubernetes: Kubernetes | null,
  hostname: string,
): Promise<ObservedCluster | undefined> {
  if (wanted.kubernetes === null || kubernetes === null) return undefined
  try {
    const node = await kubernetes.thisNode(hostname)
    const { name } = node.metadata
    if (hasTarget(wanted) && wanted.kubernetes.cordon)
      await kubernetes.tryPatch({ kind: 'Node', name }, CORDON)
    return { node: clusterNode(node) }
  } catch (error) {
    if (error instanceof AgentError) return { problem: error.asProblem() }
    throw error
  }
}

/** The fields that a cordon writes. */
const CORDON: Json = { metadata: { annotations: { [CORDON_ANNOTATION]: '' } }, spec: { unschedulable: true } }
