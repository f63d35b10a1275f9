import type { Json } from '../core/json/merge-patch.ts'
import type { ConfigMapObject } from '../core/kubernetes/config-map.ts'
import type { DaemonSetObject } from '../core/kubernetes/daemon-set.ts'
import type { DeploymentObject } from '../core/kubernetes/deployment.ts'
import type { FieldConflict } from '../core/kubernetes/field-owners.ts'
import type { LeaseObject } from '../core/kubernetes/lease.ts'
import type { AnyObject, AnyRef } from '../core/kubernetes/manifest.ts'
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
 * Objects of whatever kind, as a manifest has them. Each call throws AgentError `kubernetes-refused` where the API server
 * does not serve the kind.
 */
export interface AnyKinds {
  /** Null where there is no such object. */
  getObject(ref: AnyRef): Promise<AnyObject | null>
  /**
   * Server-side apply with the field manager of the agent, also of fields that others have set. Resolves to the object as
   * it is then. API servers before 1.16 refuse it.
   */
  applyObject(object: AnyObject): Promise<AnyObject>
  /** The object as an apply would leave it, and the fields that it would take from others; changes nothing. */
  tryObject(object: AnyObject): Promise<{ object: AnyObject; conflicts: FieldConflict[] }>
  /** A JSON merge patch. With a `resourceVersion` in it the object must not have changed since. Null where it is gone. */
  patchObject(ref: AnyRef, patch: Json): Promise<AnyObject | null>
}

/** What the fleet follows. */
export interface Watches {
  /**
   * The object as it is, if there is one, and then as it changes; null once it is deleted. Ends without an error when the
   * API server closes the stream.
   */
  watch<K extends Kind>(ref: ObjectRef<K>, signal: AbortSignal): AsyncIterable<KubernetesObjects[K] | null>
}

/**
 * The API server of the cluster that this host is a Node of. Each call is bounded in time and throws AgentError
 * `kubernetes-unreachable`, `kubernetes-credential` or `kubernetes-forbidden`.
 */
export interface Kubernetes extends AnyKinds {
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
   * Resolves to the object as it would be. API servers before 1.13 have no dry run: only the rights are checked there, and
   * null is the answer.
   */
  tryPatch<K extends Kind>(
    ref: ObjectRef<K>,
    patch: Json,
    type?: PatchType,
  ): Promise<KubernetesObjects[K] | null>
  /** Deletes the object if it still has that uid; an object that is gone, or was created again, is no error. */
  remove<K extends Kind>(ref: ObjectRef<K>, uid: string): Promise<void>
  /** Whether this credential may. @throws AgentError `kubernetes-forbidden` */
  checkRight<K extends Kind>(verb: 'list' | 'patch' | 'delete', ref: ObjectRef<K>): Promise<void>
}
