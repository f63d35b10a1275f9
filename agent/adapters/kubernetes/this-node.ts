import { networkInterfaces } from 'node:os'
import { AgentError } from '../../core/errors.ts'
import { type NodeObject, nodesAt } from '../../core/kubernetes/node.ts'
import type { ObjectRef } from '../../ports/kubernetes.ts'

interface NodeLooks {
  get: (ref: ObjectRef<'Node'>) => Promise<NodeObject | null>
  list: () => Promise<NodeObject[]>
}

/** The Node that the config names; for `auto` the one with the host's name, else with an address of the host. */
export async function findNode(asked: string, hostname: string, looks: NodeLooks): Promise<NodeObject> {
  if (asked === 'auto')
    return (await nodeNamed(hostname.toLowerCase(), looks)) ?? (await nodeHere(hostname, looks))
  const named = await looks.get({ kind: 'Node', name: asked })
  if (named) return named
  throw noNode(`the cluster has no Node ${asked}`)
}

/** A kubelet's credential need not be allowed to read a Node of another name. */
async function nodeNamed(name: string, { get }: NodeLooks): Promise<NodeObject | null> {
  return await get({ kind: 'Node', name }).catch((error: unknown) => {
    if (isForbidden(error)) return null
    throw error
  })
}

async function nodeHere(hostname: string, { list }: NodeLooks): Promise<NodeObject> {
  const unnamed = `no Node is named ${hostname.toLowerCase()}`
  const nodes = await list().catch((error: unknown) => {
    throw isForbidden(error) ? noNode(`${unnamed}, and it ${error.message}`) : error
  })
  const [found, ...others] = nodesAt(nodes, addressesHere())
  if (found === undefined) throw noNode(`${unnamed} or has an address of this host`)
  if (others.length === 0) return found
  const names = [found, ...others].map(({ metadata }) => metadata.name).join(', ')
  throw noNode(`several Nodes have an address of this host: ${names}`)
}

function addressesHere(): string[] {
  return Object.values(networkInterfaces()).flatMap((all = []) => all.map(({ address }) => address))
}

function isForbidden(error: unknown): error is AgentError {
  return error instanceof AgentError && error.code === 'kubernetes-forbidden'
}

function noNode(why: string): AgentError {
  return new AgentError('kubernetes-node', `cannot tell which Node this host is: ${why}`, {
    fix: 'name it in the config: kubernetes.node; kubectl get nodes -o wide lists them',
  })
}
