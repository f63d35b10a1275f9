import type { Json } from '../core/json/merge-patch.ts'
import type { NodeObject } from '../core/kubernetes/node.ts'

/** What the agent reads of each kind. */
export interface KubernetesObjects {
  Node: NodeObject
}

export type Kind = keyof KubernetesObjects

export interface ObjectRef<K extends Kind> {
  kind: K
  name: string
  /** Of a kind that has one. */
  namespace?: string
}

/**
 * The API server of the cluster that this host is a Node of. Each call is bounded in time and throws AgentError
 * `kubernetes-unreachable`, `kubernetes-credential` or `kubernetes-forbidden`.
 */
export interface Kubernetes {
  /**
   * The Node of this host: the one that the config names, else by the host's name, else by its addresses.
   * @throws AgentError `kubernetes-node`
   */
  thisNode(hostname: string): Promise<NodeObject>
  /** Null where there is no such object. */
  get<K extends Kind>(ref: ObjectRef<K>): Promise<KubernetesObjects[K] | null>
  /**
   * A JSON merge patch (RFC 7386). With a `resourceVersion` in it the object must not have changed since; `dryRun` asks
   * for the same checks, admission included, and changes nothing.
   * @throws AgentError `kubernetes-conflict`, `kubernetes-gone`
   */
  patch<K extends Kind>(
    ref: ObjectRef<K>,
    patch: Json,
    options?: { dryRun?: boolean },
  ): Promise<KubernetesObjects[K]>
}
