import type { Json } from '../core/json/merge-patch.ts'
import type { ConfigMapObject } from '../core/kubernetes/config-map.ts'
import type { DaemonSetObject } from '../core/kubernetes/daemon-set.ts'
import type { DeploymentObject } from '../core/kubernetes/deployment.ts'
import type { LeaseObject } from '../core/kubernetes/lease.ts'
import type { NodeObject } from '../core/kubernetes/node.ts'
import type { PodObject } from '../core/kubernetes/pod.ts'

/** What the agent reads of each kind. */
export interface KubernetesObjects {
  Node: NodeObject
  Pod: PodObject
  DaemonSet: DaemonSetObject
  Lease: LeaseObject
  Deployment: DeploymentObject
  ConfigMap: ConfigMapObject
}

export type Kind = keyof KubernetesObjects

/** How lists are merged: replaced whole, or by the keys that their kind has. */
export type PatchType = 'merge' | 'strategic'

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
  /** Those of a namespace that a label selector takes. */
  list<K extends Kind>(of: Omit<ObjectRef<K>, 'name'>, labels: string): Promise<KubernetesObjects[K][]>
  /**
   * A JSON merge patch (RFC 7386), or a strategic one, which merges lists of containers by name. With a `resourceVersion` in it the object must not have
   * changed since.
   * @throws AgentError `kubernetes-conflict`, `kubernetes-gone`
   */
  patch<K extends Kind>(ref: ObjectRef<K>, patch: Json, type?: PatchType): Promise<KubernetesObjects[K]>
  /** @throws AgentError `kubernetes-conflict` where it is there already, `kubernetes-gone` where its namespace is not */
  create<K extends Kind>(ref: ObjectRef<K>, object: Json): Promise<KubernetesObjects[K]>
  /**
   * Whether the patch would be accepted, by this credential's rights and by a dry run, admission included; changes nothing.
   * API servers before 1.13 have no dry run: only the rights are checked there.
   */
  tryPatch<K extends Kind>(ref: ObjectRef<K>, patch: Json, type?: PatchType): Promise<void>
  /** Deletes the object if it still has that uid; an object that is gone, or was created again, is no error. */
  remove<K extends Kind>(ref: ObjectRef<K>, uid: string): Promise<void>
  /** Whether this credential may. @throws AgentError `kubernetes-forbidden` */
  checkRight<K extends Kind>(verb: 'list' | 'patch' | 'delete', ref: ObjectRef<K>): Promise<void>
}
