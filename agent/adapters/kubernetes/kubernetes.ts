import { AgentError } from '../../core/errors.ts'
import { FIELD_MANAGER, type NodeObject } from '../../core/kubernetes/node.ts'
import type { Kind, Kubernetes, KubernetesObjects, ObjectRef } from '../../ports/kubernetes.ts'
import { type Call, objectOf } from './answer.ts'
import { type CredentialSource, loadCredential } from './credential.ts'
import { hasDryRun, isWebhookUnasked } from './dry-run.ts'
import { pathOf } from './paths.ts'
import { send } from './request.ts'
import { findNode } from './this-node.ts'

/** `node` is the name of this host's Node, or `auto`. */
export interface KubernetesConfig extends CredentialSource {
  node: string
}

/** Asks the API server with the credential of the config; a file of it is read again for each call, as it is rotated. */
export function createKubernetes({ node, ...source }: KubernetesConfig): Kubernetes {
  const ask = async (call: Call): Promise<unknown> => {
    const credential = await loadCredential(source)
    return objectOf(call, await send(call, credential), credential)
  }
  const get = async <K extends Kind>(ref: ObjectRef<K>): Promise<KubernetesObjects[K] | null> =>
    (await ask({ verb: 'get', path: pathOf(ref), ref })) as KubernetesObjects[K] | null
  const versionOf = once((ref: ObjectRef<Kind>) => ask({ verb: 'get', path: '/version', ref }))

  /** A change, or its dry run; where none can be had, what is there stands for it. */
  async function change(call: Call, dryRun: boolean): Promise<unknown> {
    if (!dryRun) return await ask(call)
    if (!hasDryRun(await versionOf(call.ref))) return await get(call.ref)
    return await ask(call).catch((error: unknown) => {
      if (isWebhookUnasked(error)) return get(call.ref)
      throw error
    })
  }

  async function patch<K extends Kind>(
    ref: ObjectRef<K>,
    body: unknown,
    { dryRun = false, type = 'merge' }: PatchOptions = {},
  ): Promise<KubernetesObjects[K]> {
    const query = `?fieldManager=${FIELD_MANAGER}${dryRun ? '&dryRun=All' : ''}`
    const call = { verb: 'patch' as const, path: pathOf(ref) + query, ref, body, type: PATCH_TYPES[type] }
    const patched = await change(call, dryRun)
    if (patched === null) throw gone(ref)
    return patched as KubernetesObjects[K]
  }

  return {
    get,
    thisNode: (hostname) => findNode(node, hostname, { get, list: () => listNodes(ask) }),
    patch,
    async remove(ref, uid, { dryRun = false } = {}) {
      const body = { preconditions: { uid }, ...(dryRun && { dryRun: ['All'] }) }
      try {
        await change({ verb: 'delete', path: pathOf(ref), ref, body }, dryRun)
      } catch (error) {
        // the uid is another one's
        if (!(error instanceof AgentError) || error.code !== 'kubernetes-conflict') throw error
      }
    },
  }
}

/** A cluster does not go back to before 1.13: who has answered is not asked again. */
function once<A, T>(ask: (about: A) => Promise<T>): (about: A) => Promise<T> {
  let answered: T | undefined
  return async (about) => (answered ??= await ask(about))
}

function gone({ kind, name }: ObjectRef<Kind>): AgentError {
  return new AgentError('kubernetes-gone', `cannot change ${kind} ${name}: it is gone`, {
    fix: `kubectl get ${kind.toLowerCase()} ${name} shows whether it is there`,
  })
}

interface PatchOptions {
  dryRun?: boolean
  type?: keyof typeof PATCH_TYPES
}

const PATCH_TYPES = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
} as const

async function listNodes(ask: (call: Call) => Promise<unknown>): Promise<NodeObject[]> {
  const list = await ask({ verb: 'list', path: '/api/v1/nodes', ref: { kind: 'Node', name: '' } })
  return (list as { items: NodeObject[] } | null)?.items ?? []
}
