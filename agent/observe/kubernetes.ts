import { AgentError, type Problem } from '../core/errors.ts'
import type { Json } from '../core/json/merge-patch.ts'
import { CORDON_ANNOTATION, clusterNode, type ObservedCluster } from '../core/kubernetes/node.ts'
import { hasTarget, type Wanted } from '../core/wanted.ts'
import type { Kubernetes } from '../ports/kubernetes.ts'

/** This host's Node, and with a target whether it may be cordoned. Undefined where no cluster is configured. */
export async function observeCluster(
  wanted: Wanted,
  kubernetes: Kubernetes | null,
  hostname: string,
): Promise<ObservedCluster | undefined> {
  if (wanted.kubernetes === null || kubernetes === null) return undefined
  try {
    const node = clusterNode(await kubernetes.thisNode(hostname))
    const isAsked = hasTarget(wanted) && wanted.kubernetes.cordon
    return { node, problem: isAsked ? await cordonProblem(node.name, kubernetes) : null }
  } catch (error) {
    return { node: null, problem: problemOf(error) }
  }
}

/** Why the Node cannot be cordoned, according to a dry run, which includes admission. */
export async function cordonProblem(name: string, kubernetes: Kubernetes): Promise<Problem | null> {
  try {
    await kubernetes.tryPatch({ kind: 'Node', name }, CORDON)
    return null
  } catch (error) {
    return problemOf(error)
  }
}

/** The fields that a cordon writes. */
const CORDON: Json = { metadata: { annotations: { [CORDON_ANNOTATION]: '' } }, spec: { unschedulable: true } }

function problemOf(error: unknown): Problem {
  if (error instanceof AgentError) return error.asProblem()
  throw error
}
