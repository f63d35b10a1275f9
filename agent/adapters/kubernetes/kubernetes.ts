import { networkInterfaces } from 'node:os'
import { AgentError } from '../../core/errors.ts'
import { FIELD_MANAGER, type NodeObject, nodesAt } from '../../core/kubernetes/node.ts'
import type { Kind, Kubernetes, KubernetesObjects, ObjectRef } from '../../ports/kubernetes.ts'
import { type Call, objectOf } from './answer.ts'
import { type CredentialSource, loadCredential } from './credential.ts'
import { collectionOf, pathOf } from './paths.ts'
import { send } from './request.ts'

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

  const list = async <K extends Kind>(of: Omit<ObjectRef<K>, 'name'>, labels = '') => {
    const query = labels === '' ? '' : `?labelSelector=${encodeURIComponent(labels)}`
    const answer = await ask({ verb: 'list', path: collectionOf(of) + query, ref: { ...of, name: '' } })
    return (answer as { items: KubernetesObjects[K][] } | null)?.items ?? []
  }

  return {
    get,
    list,
    thisNode: (hostname) => findNode(node, hostname, { get, list: () => list({ kind: 'Node' }) }),
    async patch<K extends Kind>(
      ref: ObjectRef<K>,
      body: unknown,
      { dryRun = false, type = 'merge' }: PatchOptions = {},
    ) {
      const query = `?fieldManager=${FIELD_MANAGER}${dryRun ? '&dryRun=All' : ''}`
      const call = { verb: 'patch' as const, path: pathOf(ref) + query, ref, body, type: PATCH_TYPES[type] }
      const patched = await ask(call)
      if (patched !== null) return patched as KubernetesObjects[K]
      throw new AgentError('kubernetes-gone', `cannot change ${ref.kind} ${ref.name}: it is gone`, {
        fix: `kubectl get ${ref.kind.toLowerCase()} ${ref.name} shows whether it is there`,
      })
    },
    async remove(ref, uid, { dryRun = false } = {}) {
      const body = { preconditions: { uid }, ...(dryRun && { dryRun: ['All'] }) }
      try {
        await ask({ verb: 'delete', path: pathOf(ref), ref, body })
      } catch (error) {
        // the uid is another one's
        if (!(error instanceof AgentError) || error.code !== 'kubernetes-conflict') throw error
      }
    },
  }
}

interface PatchOptions {
  dryRun?: boolean
  type?: keyof typeof PATCH_TYPES
}

const PATCH_TYPES = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
} as const

interface NodeLooks {
  get: (ref: ObjectRef<'Node'>) => Promise<NodeObject | null>
  list: () => Promise<NodeObject[]>
}

async function findNode(asked: string, hostname: string, { get, list }: NodeLooks): Promise<NodeObject> {
  const name = asked === 'auto' ? hostname.toLowerCase() : asked
  // a kubelet's credential need not be allowed to read a Node of another name
  const named = await get({ kind: 'Node', name }).catch((error: unknown) => {
    if (asked === 'auto' && error instanceof AgentError && error.code === 'kubernetes-forbidden') return null
    throw error
  })
  if (named) return named
  if (asked !== 'auto') throw noNode(`the cluster has no Node ${asked}`)
  const addresses = Object.values(networkInterfaces()).flatMap((all = []) =>
    all.map(({ address }) => address),
  )
  const [found, ...others] = nodesAt(await list(), addresses)
  if (found === undefined) throw noNode(`no Node is named ${name} or has an address of this host`)
  if (others.length === 0) return found
  const names = [found, ...others].map(({ metadata }) => metadata.name).join(', ')
  throw noNode(`several Nodes have an address of this host: ${names}`)
}

function noNode(why: string): AgentError {
  return new AgentError('kubernetes-node', `cannot tell which Node this host is: ${why}`, {
    fix: 'name it in the config: kubernetes.node; kubectl get nodes -o wide lists them',
  })
}
