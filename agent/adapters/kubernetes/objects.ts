import { AgentError } from '../../core/errors.ts'
import type { Json } from '../../core/json/merge-patch.ts'
import type { FieldConflict } from '../../core/kubernetes/field-owners.ts'
import { type AnyObject, type AnyRef, refOf } from '../../core/kubernetes/manifest.ts'
import { FIELD_MANAGER } from '../../core/kubernetes/node.ts'
import type { AnyKinds } from '../../ports/kubernetes.ts'
import type { Answer, Call } from './answer.ts'

/** What a group and version serves (metav1.APIResourceList). */
interface ResourceList {
  resources: { name: string; kind: string; namespaced: boolean }[]
}

interface Asking {
  ask: (call: Call) => Promise<unknown>
  /** The answer as it is, whatever its status. */
  answerOf: (call: Call) => Promise<Answer>
}

const APPLY = 'application/apply-patch+yaml'
const MERGE = 'application/merge-patch+json'

/** Objects of kinds that the agent knows nothing of: where they are is asked of the API server. */
export function anyKinds({ ask, answerOf }: Asking): AnyKinds {
  const served = new Map<string, Promise<ResourceList | null>>()

  /** A group that it does not serve is asked for again: its CustomResourceDefinition may come. */
  async function resourcesOf(apiVersion: string, ref: Call['ref']): Promise<ResourceList | null> {
    const path = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
    const asked =
      served.get(apiVersion) ??
      (ask({ verb: 'get', path, ref, mayBeUnserved: true }) as Promise<ResourceList | null>)
    served.set(apiVersion, asked)
    const found = await asked.catch(() => null)
    if (found === null) served.delete(apiVersion)
    return await asked
  }

  async function placeOf({ apiVersion, kind, name, namespace = 'default' }: AnyRef) {
    const isIt = (one: ResourceList['resources'][number]): boolean =>
      one.kind === kind && !one.name.includes('/')
    const early = (await resourcesOf(apiVersion, { kind, name }))?.resources.find(isIt)
    if (!early) served.delete(apiVersion)
    const found = early ?? (await resourcesOf(apiVersion, { kind, name }))?.resources.find(isIt)
    if (!found) throw unserved(apiVersion, kind)
    const group = apiVersion.includes('/') ? `.${apiVersion.split('/')[0] ?? ''}` : ''
    const base = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
    const scope = found.namespaced ? `/namespaces/${encodeURIComponent(namespace)}` : ''
    return {
      path: `${base}${scope}/${found.name}/${encodeURIComponent(name)}`,
      ref: { kind, name, resource: `${found.name}${group}` },
    }
  }

  async function applyCall(object: AnyObject, query: string): Promise<Call> {
    const { path, ref } = await placeOf(refOf(object))
    const patch = `${path}?fieldManager=${FIELD_MANAGER}${query}`
    return { verb: 'patch', path: patch, ref, body: object, type: APPLY }
  }

  return {
    async getObject(ref) {
      return (await ask({ verb: 'get', ...(await placeOf(ref)) })) as AnyObject | null
    },
    async applyObject(object, isTried = false) {
      return (await ask(await applyCall(object, `&force=true${isTried ? '&dryRun=All' : ''}`))) as AnyObject
    },
    async conflictsOf(object) {
      const call = await applyCall(object, '&dryRun=All')
      const { status, text } = await answerOf(call)
      return status === 409 ? conflictsIn(text) : []
    },
    async patchObject(ref, patch: Json) {
      const { path, ref: named } = await placeOf(ref)
      const call: Call = {
        verb: 'patch',
        path: `${path}?fieldManager=${FIELD_MANAGER}`,
        ref: named,
        body: patch,
        type: MERGE,
      }
      return (await ask(call)) as AnyObject | null
    },
  }
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
