import { networkInterfaces } from 'node:os'
import { AgentError } from '../../core/errors.ts'
import { FIELD_MANAGER, type NodeObject, nodesAt } from '../../core/kubernetes/node.ts'
import type { Kind, Kubernetes, KubernetesObjects, ObjectRef, PatchType } from '../../ports/kubernetes.ts'
import { type AccessReview, forbidden, knowsDryRun, REVIEWS, reviewOf } from './access.ts'
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

  const patch = async <K extends Kind>(
    ref: ObjectRef<K>,
    body: unknown,
    type: PatchType = 'merge',
    dryRun = false,
  ): Promise<KubernetesObjects[K]> => {
    const query = `?fieldManager=${FIELD_MANAGER}${dryRun ? '&dryRun=All' : ''}`
    const patched = await ask({
      verb: 'patch',
      path: pathOf(ref) + query,
      ref,
      body,
      type: PATCH_TYPES[type],
    })
    if (patched !== null) return patched as KubernetesObjects[K]
    throw gone(ref)
  }
  const checkRight: Kubernetes['checkRight'] = async (verb, ref) => {
    const review = reviewOf(verb, ref)
    const answer = (await ask({ verb: 'create', path: REVIEWS, ref, body: review })) as AccessReview | null
    if (answer?.status?.allowed !== true)
      throw forbidden(verb, ref, answer?.status?.reason ?? 'no rule allows it')
  }

  return {
    get,
    patch,
    checkRight,
    async create(ref, body) {
      const path = `${collectionOf(ref)}?fieldManager=${FIELD_MANAGER}`
      const created = await ask({ verb: 'create', path, ref, body })
      if (created !== null) return created as KubernetesObjects[(typeof ref)['kind']]
      throw noNamespace(ref)
    },
    thisNode: (hostname) =>
      findNode(nodeAsked(node, source.inCluster), hostname, { get, list: () => listNodes(ask) }),
    async tryPatch(ref, body, type) {
      await checkRight('patch', ref)
      const version = (await ask({ verb: 'get', path: '/version', ref })) as Parameters<typeof knowsDryRun>[0]
      if (knowsDryRun(version)) await patch(ref, body, type, true)
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

/** The pod of a DaemonSet is told its Node by a field of its own: its config is the same on every host. */
function nodeAsked(node: string, inCluster: boolean): string {
  return (node === 'auto' && inCluster && process.env['NODE_NAME']) || node
}

const PATCH_TYPES: Record<PatchType, string> = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
}

async function listNodes(ask: (call: Call) => Promise<unknown>): Promise<NodeObject[]> {
  const list = await ask({ verb: 'list', path: '/api/v1/nodes', ref: { kind: 'Node', name: '' } })
  return (list as { items: NodeObject[] } | null)?.items ?? []
}

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

function gone({ kind, name }: ObjectRef<Kind>): AgentError {
  return new AgentError('kubernetes-gone', `cannot change ${kind} ${name}: it is gone`, {
    fix: `kubectl get ${kind.toLowerCase()} ${name} shows whether it is there`,
  })
}

function noNamespace({ kind, namespace = '' }: ObjectRef<Kind>): AgentError {
  return new AgentError('kubernetes-gone', `cannot create ${kind}: there is no namespace ${namespace}`, {
    fix: `kubectl create namespace ${namespace}`,
  })
}

function noNode(why: string): AgentError {
  return new AgentError('kubernetes-node', `cannot tell which Node this host is: ${why}`, {
    fix: 'name it in the config: kubernetes.node; kubectl get nodes -o wide lists them',
  })
}
