import type { Problem } from '../errors.ts'
import type { Json } from '../json/merge-patch.ts'

/** What the agent reads of a Node object (core/v1). */
export interface NodeObject {
  metadata: {
    name: string
    resourceVersion: string
    annotations?: Record<string, string>
    managedFields?: ManagedFields[]
  }
  spec?: { unschedulable?: boolean }
  status?: {
    addresses?: { type: string; address: string }[]
    nodeInfo?: { containerRuntimeVersion?: string; architecture?: string; operatingSystem?: string }
    /** With the digests and the tags of each; the kubelet reports the 50 largest. */
    images?: { names?: string[] | null; sizeBytes?: number }[]
  }
}

/** Who set which fields of an object, and when (metav1.ManagedFieldsEntry). */
interface ManagedFields {
  manager?: string
  time?: string
  fieldsV1?: { 'f:spec'?: Record<string, unknown> }
}

/** The Node of this host, as a report has it. */
export interface ClusterNode {
  name: string
  unschedulable: boolean
  /** The field manager that cordoned it, such as `kubectl`; null where it is schedulable or nobody is named. */
  cordonedBy: string | null
  /** The run that cordoned it and has not uncordoned it yet. */
  run: string | null
}

/** This host's Node, as far as it can be told, and why it cannot be told or cordoned. */
export interface ObservedCluster {
  node: ClusterNode | null
  problem: Problem | null
}

/** The field manager of every write of the agent's. */
export const FIELD_MANAGER = 'calico-agent'

/** Holds the run that cordoned the Node. Whoever removes it takes the cordon over: the agent leaves the Node cordoned. */
export const CORDON_ANNOTATION = 'calico-agent/cordoned-by'

export function clusterNode(node: NodeObject): ClusterNode {
  const unschedulable = node.spec?.unschedulable === true
  const run = node.metadata.annotations?.[CORDON_ANNOTATION] ?? null
  return {
    name: node.metadata.name,
    unschedulable,
    cordonedBy: unschedulable ? managerOfCordon(node) : null,
    run: unschedulable && run !== null && isAgents(node) ? run : null,
  }
}

/** The patch that cordons for a run; null where the Node is cordoned for it already, or by somebody else. */
export function cordonPatch(node: NodeObject, run: string): Json | null {
  const { unschedulable, run: marked } = clusterNode(node)
  if (marked === run || (unschedulable && marked === null)) return null
  return patchOf(node, run, true)
}

/** The patch that takes back the cordon of a run; null where nothing of it is left. */
export function uncordonPatch(node: NodeObject, run: string): Json | null {
  if (node.metadata.annotations?.[CORDON_ANNOTATION] !== run) return null
  // cordoned anew by somebody else meanwhile: only the mark goes
  return clusterNode(node).run === run ? patchOf(node, null, false) : patchOf(node, null)
}

/** A JSON merge patch that the API server refuses where the Node has changed since. */
function patchOf({ metadata }: NodeObject, mark: string | null, unschedulable?: boolean): Json {
  return {
    metadata: { resourceVersion: metadata.resourceVersion, annotations: { [CORDON_ANNOTATION]: mark } },
    ...(unschedulable !== undefined && { spec: { unschedulable: unschedulable || null } }),
  }
}

function isAgents(node: NodeObject): boolean {
  const manager = managerOfCordon(node)
  return manager === null || manager === FIELD_MANAGER
}

/** An uncordon and a new cordon by somebody else pass the field on: whoever set it last owns it. */
function managerOfCordon({ metadata: { managedFields = [] } }: NodeObject): string | null {
  const owners = managedFields.filter(
    ({ fieldsV1 }) => fieldsV1?.['f:spec']?.['f:unschedulable'] !== undefined,
  )
  const [last] = owners.sort((one, other) => (other.time ?? '').localeCompare(one.time ?? ''))
  return last?.manager ?? null
}

/** The Nodes that have one of these addresses. */
export function nodesAt(nodes: NodeObject[], addresses: string[]): NodeObject[] {
  return nodes.filter(({ status }) =>
    status?.addresses?.some(({ type, address }) => type !== 'Hostname' && addresses.includes(address)),
  )
}
