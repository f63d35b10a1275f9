import { type DaemonSetObject, daemonSetOf } from './daemon-set.ts'
import { type Namespaced, selectorOf } from './object.ts'
import { nodeOf, type PodObject } from './pod.ts'

/** What is asked of the API server. */
interface Reads {
  get(ref: Namespaced & { kind: 'DaemonSet' }): Promise<DaemonSetObject | null>
  list(of: { kind: 'Pod'; namespace: string }, labels: string): Promise<PodObject[]>
}

/** A DaemonSet and its pods of one Node, also one that is not scheduled yet; null where there is none of that name. */
export async function podsOnNode(
  api: Reads,
  { namespace, name }: Namespaced,
  node: string,
): Promise<{ set: DaemonSetObject; pods: PodObject[] } | null> {
  const set = await api.get({ kind: 'DaemonSet', namespace, name })
  if (set === null) return null
  const all = await api.list({ kind: 'Pod', namespace }, selectorOf(set))
  return { set, pods: all.filter((pod) => daemonSetOf(pod)?.name === name && nodeOf(pod) === node) }
}
