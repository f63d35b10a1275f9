import { isDeepStrictEqual } from 'node:util'
import { AgentError } from '../../agent/core/errors.ts'
import { isJsonObject, type Json } from '../../agent/core/json/merge-patch.ts'
import type { FieldConflict } from '../../agent/core/kubernetes/field-owners.ts'
import { type AnyObject, type AnyRef, refOf } from '../../agent/core/kubernetes/manifest.ts'
import { FIELD_MANAGER } from '../../agent/core/kubernetes/node.ts'
import type { AnyKinds } from '../../agent/ports/kubernetes.ts'
import { merged, refused } from './merged.ts'

const SERVED = [
  'ClusterRole',
  'ConfigMap',
  'Secret',
  'ServiceAccount',
  'CustomResourceDefinition',
  'ControllerRevision',
]

const NAMESPACES = ['default', 'kube-system']

interface Kept {
  object: AnyObject
  /** Who set each field last, by its path. */
  owners: Map<string, string>
}

/** Objects of any kind as the API server keeps them: a version for each write, and who owns which field. */
export class FakeObjects implements AnyKinds {
  /** Called with each call; what it throws is the answer. */
  onCall: (what: string) => void = () => undefined
  readonly #kept = new Map<string, Kept>()
  #versions = 1

  /** As somebody else writes it. */
  write(object: AnyObject, manager: string): void {
    this.#write(object, manager)
  }

  get all(): AnyObject[] {
    return [...this.#kept.values()].map(({ object }) => structuredClone(object))
  }

  async getObject(ref: AnyRef): Promise<AnyObject | null> {
    await this.#asked('getObject', ref)
    return structuredClone(this.#kept.get(keyOf(ref))?.object ?? null)
  }

  async applyObject(object: AnyObject): Promise<AnyObject> {
    await this.#asked('applyObject', refOf(object))
    return this.#write(object, FIELD_MANAGER)
  }

  async tryObject(object: AnyObject): Promise<{ object: AnyObject; conflicts: FieldConflict[] }> {
    await this.#asked('tryObject', refOf(object))
    const kept = this.#kept.get(keyOf(refOf(object)))
    const now = asJson(kept?.object ?? {})
    const conflicts = leavesOf(asJson(object)).flatMap(([field, value]) => {
      const manager = kept?.owners.get(field) ?? FIELD_MANAGER
      const isSame = isDeepStrictEqual(valueAt(now, field), value)
      return manager === FIELD_MANAGER || isSame ? [] : [{ manager, field }]
    })
    return { object: asObject(merged(now, asJson(object))), conflicts }
  }

  async patchObject(ref: AnyRef, patch: Json): Promise<AnyObject | null> {
    await this.#asked('patchObject', ref)
    const kept = this.#kept.get(keyOf(ref))
    if (!kept) return null
    const version = (patch as { metadata?: { resourceVersion?: string } }).metadata?.resourceVersion
    if (version !== undefined && version !== kept.object.metadata['resourceVersion'])
      throw refused('kubernetes-conflict', 'the object has been modified')
    return this.#write(kept.object, FIELD_MANAGER, patch)
  }

  #write(object: AnyObject, manager: string, patch: Json = asJson(object)): AnyObject {
    const key = keyOf(refOf(object))
    const owners = this.#kept.get(key)?.owners ?? new Map<string, string>()
    for (const [field] of leavesOf(patch)) owners.set(field, manager)
    const next = asObject(merged(asJson(this.#kept.get(key)?.object ?? {}), patch))
    this.#versions += 1
    next.metadata['resourceVersion'] = String(this.#versions)
    this.#kept.set(key, { object: next, owners })
    return structuredClone(next)
  }

  #asked(what: string, { kind, apiVersion, namespace }: AnyRef): Promise<void> {
    this.onCall(what)
    if (namespace !== undefined && !NAMESPACES.includes(namespace))
      return Promise.reject(refused('kubernetes-gone', `there is no namespace ${namespace}`))
    if (SERVED.includes(kind)) return Promise.resolve()
    const why = `cannot find ${kind} of ${apiVersion}: this API server does not serve it`
    return Promise.reject(new AgentError('kubernetes-refused', why, { fix: 'kubectl api-resources' }))
  }
}

const keyOf = ({ kind, namespace = '', name }: AnyRef): string => `${kind} ${namespace}/${name}`
const asJson = (object: object): Json => structuredClone(object) as Json
const asObject = (value: Json): AnyObject => value as unknown as AnyObject

/** Lists are of whoever wrote them last, as a whole. */
function leavesOf(value: Json, path = ''): [string, Json][] {
  if (!isJsonObject(value)) return [[path, value]]
  return Object.entries(value)
    .filter(([key]) => path !== '' || !['apiVersion', 'kind', 'metadata'].includes(key))
    .flatMap(([key, child]) => leavesOf(child, path === '' ? key : `${path}.${key}`))
}

function valueAt(value: Json, path: string): Json | undefined {
  return path
    .split('.')
    .reduce<Json | undefined>(
      (at, key) => (at !== undefined && isJsonObject(at) ? at[key] : undefined),
      value,
    )
}
