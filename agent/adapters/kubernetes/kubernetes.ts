import { AgentError } from '../../core/errors.ts'
import { goneError } from '../../core/kubernetes/gone.ts'
import { FIELD_MANAGER } from '../../core/kubernetes/node.ts'
import type {
  Kind,
  Kubernetes,
  KubernetesObjects,
  ObjectRef,
  PatchType,
  Watches,
} from '../../ports/kubernetes.ts'
import { type AccessReview, forbidden, REVIEWS, reviewOf } from './access.ts'
import { type Answer, type Call, noNamespace, objectOf, unreachable } from './answer.ts'
import { type Credential, type CredentialSource, loadCredential } from './credential.ts'
import { hasDryRun, isWebhookUnasked } from './dry-run.ts'
import { anyKinds } from './objects.ts'
import { PATCH_TYPES } from './patch-types.ts'
import { collectionOf, pathOf } from './paths.ts'
import { follow, send } from './request.ts'
import { findNode } from './this-node.ts'

/** `node` is the name of this host's Node, or `auto`. */
export interface KubernetesConfig extends CredentialSource {
  node: string
}

/** Asks the API server with the credential of the config; a file of it is read again for each call, as it is rotated. */
export function createKubernetes({ node, ...source }: KubernetesConfig): Kubernetes & Watches {
  const exchange = async (call: Call): Promise<{ answer: Answer; credential: Credential }> => {
    const credential = await loadCredential(source)
    const answer = await send(call, credential)
    if (answer.status === 403 && !(await isReady(call, credential)))
      throw unreachable(credential, 'it answers with 403 and is not ready: it may have just started')
    return { answer, credential }
  }
  const ask = async (call: Call): Promise<unknown> => {
    const { answer, credential } = await exchange(call)
    return objectOf(call, answer, credential)
  }
  const askUnlessConflict = async (call: Call): Promise<{ object: unknown } | { conflict: string }> => {
    const { answer, credential } = await exchange(call)
    return answer.status === 409 ? { conflict: answer.text } : { object: objectOf(call, answer, credential) }
  }
  const get = async <K extends Kind>(ref: ObjectRef<K>): Promise<KubernetesObjects[K] | null> =>
    (await ask({ verb: 'get', path: pathOf(ref), ref })) as KubernetesObjects[K] | null
  const versionOf = once((ref: ObjectRef<Kind>) => ask({ verb: 'get', path: '/version', ref }))

  const list = async <K extends Kind>(of: Omit<ObjectRef<K>, 'name'>, labels = '') => {
    const query = labels === '' ? '' : `?labelSelector=${encodeURIComponent(labels)}`
    const answer = await ask({ verb: 'list', path: collectionOf(of) + query, ref: { ...of, name: '' } })
    return (answer as { items: KubernetesObjects[K][] } | null)?.items ?? []
  }

  async function patch<K extends Kind>(
    ref: ObjectRef<K>,
    body: unknown,
    type: PatchType = 'merge',
    dryRun = false,
  ): Promise<KubernetesObjects[K]> {
    const path = `${pathOf(ref)}?fieldManager=${FIELD_MANAGER}${dryRun ? '&dryRun=All' : ''}`
    const patched = await ask({ verb: 'patch', path, ref, body, type: PATCH_TYPES[type] })
    if (patched === null) throw goneError(ref)
    return patched as KubernetesObjects[K]
  }

  async function checkRight(verb: 'list' | 'patch' | 'delete', ref: ObjectRef<Kind>): Promise<void> {
    const review = (await ask({
      verb: 'create',
      path: REVIEWS,
      ref,
      body: reviewOf(verb, ref),
    })) as AccessReview
    if (!review.status?.allowed) throw forbidden(verb, ref, review.status?.reason ?? 'no rule allows it')
  }

  return {
    ...anyKinds({ ask, askUnlessConflict }),
    get,
    checkRight,
    async create(ref, body) {
      const path = `${collectionOf(ref)}?fieldManager=${FIELD_MANAGER}`
      const created = await ask({ verb: 'create', path, ref, body })
      if (created !== null) return created as KubernetesObjects[(typeof ref)['kind']]
      throw noNamespace(ref)
    },
    list,
    async *watch(ref, signal) {
      const selector = encodeURIComponent(`metadata.name=${ref.name}`)
      const path = `${collectionOf(ref)}?watch=true&fieldSelector=${selector}`
      const call: Call = { verb: 'watch', path, ref }
      for await (const line of follow(call, await loadCredential(source), signal)) {
        const { type, object } = JSON.parse(line) as WatchEvent
        // the stream is too old: another one begins anew
        if (type === 'ERROR') return
        yield type === 'DELETED' ? null : (object as KubernetesObjects[(typeof ref)['kind']])
      }
    },
    thisNode: (hostname) =>
      findNode(nodeAsked(node, source.inCluster), hostname, { get, list: () => list({ kind: 'Node' }) }),
    patch: (ref, body, type) => patch(ref, body, type),
    async tryPatch(ref, body, type) {
      if (!hasDryRun(await versionOf(ref))) {
        await checkRight('patch', ref)
        return null
      }
      return await patch(ref, body, type, true).catch((error: unknown) => {
        if (!isWebhookUnasked(error)) throw error
        return null
      })
    },
    async remove(ref, uid) {
      const body = { kind: 'DeleteOptions', apiVersion: 'v1', preconditions: { uid } }
      try {
        await ask({ verb: 'delete', path: pathOf(ref), ref, body })
      } catch (error) {
        // the uid is another one's
        if (!(error instanceof AgentError) || error.code !== 'kubernetes-conflict') throw error
      }
    },
  }
}

/** As the API server writes one on each line (metav1.WatchEvent). */
interface WatchEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'ERROR'
  object: unknown
}

/** An API server that starts knows no roles yet, and refuses everything, /readyz with it; before 1.16 there is none. */
async function isReady({ ref }: Call, credential: Credential): Promise<boolean> {
  const { status } = await send({ verb: 'get', path: '/readyz', ref }, credential)
  return status === 200 || status === 404
}

/** A cluster does not go back to before 1.13: who has answered is not asked again. */
function once<A, T>(ask: (about: A) => Promise<T>): (about: A) => Promise<T> {
  let answered: T | undefined
  return async (about) => (answered ??= await ask(about))
}

/** The pod of a DaemonSet is told its Node by a field of its own: its config is the same on every host. */
function nodeAsked(node: string, inCluster: boolean): string {
  return (node === 'auto' && inCluster && process.env['NODE_NAME']) || node
}
