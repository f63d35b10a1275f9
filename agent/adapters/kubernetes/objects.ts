import { AgentError } from '../../core/errors.ts'
import type { Json } from '../../core/json/merge-patch.ts'
import type { FieldConflict } from '../../core/kubernetes/field-owners.ts'
import { type AnyObject, type AnyRef, refOf } from '../../core/kubernetes/manifest.ts'
import { FIELD_MANAGER } from '../../core/kubernetes/node.ts'
import type { AnyKinds } from '../../ports/kubernetes.ts'
import { type Call, noNamespace } from './answer.ts'
import { PATCH_TYPES } from './patch-types.ts'

/** What a group and version serves (metav1.APIResourceList). */
interface ResourceList {
  resources: { name: string; kind: string; namespaced: boolean }[]
}

interface Asking {
  ask: (call: Call) => Promise<unknown>
  askUnlessConflict: (call: Call) => Promise<{ object: unknown } | { conflict: string }>
}

const APPLY = 'application/apply-patch+yaml'

/** Objects of kinds that the agent knows nothing of: where they are is asked of the API server. */
export function anyKinds({ ask, askUnlessConflict }: Asking): AnyKinds {
  const served = new Map<string, Promise<ResourceList | null>>()

  async function resourcesOf(apiVersion: string, ref: Call['ref']): Promise<ResourceList | null> {
    const call: Call = { verb: 'get', path: baseOf(apiVersion), ref, mayBeUnserved: true }
    const asked = served.get(apiVersion) ?? (ask(call) as Promise<ResourceList | null>)
    served.set(apiVersion, asked)
    return await asked.catch((error: unknown) => {
      served.delete(apiVersion)
      throw error
    })
  }

  async function resourceOf({ apiVersion, kind, name }: AnyRef) {
    const find = async () =>
      (await resourcesOf(apiVersion, { kind, name }))?.resources.find(
        (one) => one.kind === kind && !one.name.includes('/'),
      )
    const early = await find()
    if (early) return early
    // its CustomResourceDefinition may have come since
    served.delete(apiVersion)
    const found = await find()
    if (!found) throw unserved(apiVersion, kind)
    return found
  }

  async function placeOf(of: AnyRef): Promise<Pick<Call, 'path' | 'ref'>> {
    const { apiVersion, kind, name, namespace = 'default' } = of
    const { name: resource, namespaced } = await resourceOf(of)
    const group = apiVersion.includes('/') ? `.${apiVersion.split('/')[0] ?? ''}` : ''
    const scope = namespaced ? `/namespaces/${encodeURIComponent(namespace)}` : ''
    return {
      path: `${baseOf(apiVersion)}${scope}/${resource}/${encodeURIComponent(name)}`,
      ref: { kind, name, resource: `${resource}${group}` },
    }
  }

  async function patchCall(of: AnyRef, body: unknown, type: string, query = ''): Promise<Call> {
    const { path, ref } = await placeOf(of)
    return { verb: 'patch', path: `${path}?fieldManager=${FIELD_MANAGER}${query}`, ref, body, type }
  }
  const applyCall = (object: AnyObject, query: string) => patchCall(refOf(object), object, APPLY, query)
  const applied = async (object: AnyObject, query: string): Promise<AnyObject> =>
    present(await ask(await applyCall(object, query)), object)

  return {
    async getObject(ref) {
      return (await ask({ verb: 'get', ...(await placeOf(ref)) })) as AnyObject | null
    },
    applyObject: (object) => applied(object, '&force=true'),
    async tryObject(object) {
      const tried = await askUnlessConflict(await applyCall(object, '&dryRun=All'))
      if ('object' in tried) return { object: present(tried.object, object), conflicts: [] }
      const forced = await applied(object, '&dryRun=All&force=true')
      return { object: forced, conflicts: conflictsIn(tried.conflict) }
    },
    async patchObject(ref, patch: Json) {
      return (await ask(await patchCall(ref, patch, PATCH_TYPES.merge))) as AnyObject | null
    },
  }
}

/** An apply creates what is not there: only its namespace can be missing. */
function present(answer: unknown, object: AnyObject): AnyObject {
  if (answer === null) throw noNamespace(refOf(object))
  return answer as AnyObject
}

/** Under which all of a group and version is. */
function baseOf(apiVersion: string): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
}

/** metav1.Status of an apply that would take fields from others. */
function conflictsIn(text: string): FieldConflict[] {
  const { details } = JSON.parse(text) as { details?: { causes?: { message?: string; field?: string }[] } }
  return (details?.causes ?? []).map(({ message = '', field = '' }) => ({
    manager: /"([^"]*)"/.exec(message)?.[1] ?? message,
    field: field.replace(/^\./, ''),
  }))
}

function unserved(apiVersion: string, kind: string): AgentError {
  return new AgentError(
    'kubernetes-refused',
    `cannot find ${kind} of ${apiVersion}: this API server does not serve it`,
    {
      fix: 'kubectl api-resources lists what it serves: take a manifest for this release of Kubernetes',
    },
  )
}
