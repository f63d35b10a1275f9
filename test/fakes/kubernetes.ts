import { AgentError } from '../../agent/core/errors.ts'
import type { Json } from '../../agent/core/json/merge-patch.ts'
import { isJsonObject } from '../../agent/core/json/merge-patch.ts'
import type { FieldConflict } from '../../agent/core/kubernetes/field-owners.ts'
import type { AnyObject, AnyRef } from '../../agent/core/kubernetes/manifest.ts'
import { FIELD_MANAGER, type NodeObject } from '../../agent/core/kubernetes/node.ts'
import type { Kind, Kubernetes, KubernetesObjects, ObjectRef } from '../../agent/ports/kubernetes.ts'
import { FakeObjects } from './any-objects.ts'
import { merged, refused } from './merged.ts'

/** Of the one Node. */
export const UID = 'f4e0a7c2-0000-4000-8000-000000000001'

/** One Node, as the API server keeps it: a version for each write, and who owns `spec.unschedulable`. */
export class FakeKubernetes implements Kubernetes {
  /** Thrown by each call. */
  away: AgentError | null = null
  /** Done before a patch is looked at: somebody else is faster. */
  beforePatch: (() => void) | null = null
  readonly ops: string[] = []
  readonly objects = new FakeObjects()
  #isGone = false
  #node: NodeObject
  #version = 1

  constructor(name: string, addresses: string[] = []) {
    this.#node = {
      metadata: { name, resourceVersion: '1' },
      spec: {},
      status: { addresses: addresses.map((address) => ({ type: 'InternalIP', address })) },
    }
  }

  get node(): NodeObject {
    return structuredClone(this.#node)
  }

  /** As `kubectl cordon` and `uncordon` do, which change nothing where it is so already. */
  setUnschedulable(unschedulable: boolean, manager: string): void {
    if ((this.#node.spec?.unschedulable ?? false) === unschedulable) return
    this.#write({ spec: { unschedulable: unschedulable || null } }, manager)
  }

  annotate(name: string, value: string | null): void {
    this.#write({ metadata: { annotations: { [name]: value } } }, 'kubectl-annotate')
  }

  async thisNode(): Promise<NodeObject> {
    await this.#answer()
    return this.node
  }

  async get<K extends Kind>({ name }: ObjectRef<K>): Promise<KubernetesObjects[K] | null> {
    await this.#answer()
    return this.#has(name) ? (this.node as KubernetesObjects[K]) : null
  }

  create(): Promise<never> {
    return Promise.reject(refused('kubernetes-forbidden', 'nothing is created here'))
  }

  async patch<K extends Kind>({ name }: ObjectRef<K>, patch: Json): Promise<KubernetesObjects[K]> {
    await this.#answer()
    this.beforePatch?.()
    this.#check(name, patch)
    this.#write(patch, FIELD_MANAGER)
    return this.node as KubernetesObjects[K]
  }

  async tryPatch<K extends Kind>({ name }: ObjectRef<K>, patch: Json): Promise<KubernetesObjects[K] | null> {
    await this.#answer()
    this.#check(name, patch)
    return merged(this.node as unknown as Json, patch) as unknown as KubernetesObjects[K]
  }

  async getObject(ref: AnyRef): Promise<AnyObject | null> {
    await this.#answer()
    return await this.objects.getObject(ref)
  }

  async applyObject(object: AnyObject): Promise<AnyObject> {
    await this.#answer()
    return await this.objects.applyObject(object)
  }

  async tryObject(object: AnyObject): Promise<{ object: AnyObject; conflicts: FieldConflict[] }> {
    await this.#answer()
    return await this.objects.tryObject(object)
  }

  async patchObject(ref: AnyRef, patch: Json): Promise<AnyObject | null> {
    await this.#answer()
    return await this.objects.patchObject(ref, patch)
  }

  checkRight(): Promise<void> {
    return this.#answer()
  }

  async list<K extends Kind>(): Promise<KubernetesObjects[K][]> {
    await this.#answer()
    return []
  }

  async remove({ name }: ObjectRef<Kind>, uid: string): Promise<void> {
    await this.#answer()
    if (this.#has(name) && uid === UID) this.#isGone = true
  }

  #has(name: string): boolean {
    return !this.#isGone && name === this.#node.metadata.name
  }

  #check(name: string, patch: Json): void {
    if (!this.#has(name)) throw refused('kubernetes-gone', `Node ${name} is gone`)
    checkVersion(this.#node, patch)
  }

  #answer(): Promise<void> {
    return this.away ? Promise.reject(this.away) : Promise.resolve()
  }

  #write(patch: Json, manager: string): void {
    this.#node = merged(this.#node as unknown as Json, patch) as unknown as NodeObject
    this.#version += 1
    this.#node.metadata.resourceVersion = String(this.#version)
    if (isJsonObject(patch) && patch['spec'] !== undefined) this.#own(manager)
    this.ops.push(`${manager}: ${this.#node.spec?.unschedulable === true ? 'cordoned' : 'schedulable'}`)
  }

  #own(manager: string): void {
    const owner = { manager, time: '2026-11-27T00:00:00Z', fieldsV1: { 'f:spec': { 'f:unschedulable': {} } } }
    this.#node.metadata.managedFields = this.#node.spec?.unschedulable === true ? [owner] : []
  }
}

/** A patch may name the version that it is of. */
export function checkVersion(object: { metadata: { resourceVersion: string } } | null, patch: Json): void {
  const asked = (patch as { metadata?: { resourceVersion?: string } }).metadata?.resourceVersion
  if (asked !== undefined && asked !== object?.metadata.resourceVersion)
    throw refused('kubernetes-conflict', 'the object has been modified')
}

export function awayError(): AgentError {
  return new AgentError('kubernetes-unreachable', 'cannot reach the Kubernetes API', {
    fix: 'see whether it answers',
    isTransient: true,
  })
}
