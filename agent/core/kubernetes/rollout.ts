import { type DeploymentObject, podsOf, type Rollout } from './deployment.ts'
import type { Namespaced } from './object.ts'
import { selectorOf } from './object.ts'
import type { PodObject } from './pod.ts'

/** What is asked of the API server. */
interface Reads {
  get(ref: Namespaced & { kind: 'Deployment' }): Promise<DeploymentObject | null>
  list(of: { kind: 'Pod'; namespace: string }, labels: string): Promise<PodObject[]>
}

/** The Deployment and its pods; null where there is none of that name. */
export async function rolloutOf(api: Reads, { namespace, name }: Namespaced): Promise<Rollout | null> {
  const set = await api.get({ kind: 'Deployment', namespace, name })
  if (set === null) return null
  return { set, pods: podsOf(set, await api.list({ kind: 'Pod', namespace }, selectorOf(set))) }
}
