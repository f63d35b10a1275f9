import type { Json } from '../json/merge-patch.ts'

/** What the agent reads of a Lease (coordination.k8s.io/v1). */
export interface LeaseObject {
  metadata: {
    namespace: string
    name: string
    resourceVersion: string
    annotations?: Record<string, string>
    labels?: Record<string, string>
  }
  spec?: { holderIdentity?: string | null }
}

/** What the fleet keeps in a Lease, as text. */
const TEXT_ANNOTATION = 'calico-agent/fleet'

export function leaseText(lease: LeaseObject): string | null {
  return lease.metadata.annotations?.[TEXT_ANNOTATION] ?? null
}

/** What is created, and merged into one that is there: then its `resourceVersion` must still be the same. */
export function leaseOf(
  { name, version, labels }: { name: string; version?: string; labels?: Record<string, string> },
  text: string,
  holders = '',
): Json {
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      name,
      annotations: { [TEXT_ANNOTATION]: text },
      ...(version !== undefined && { resourceVersion: version }),
      ...(labels && { labels }),
    },
    // shown by kubectl get leases
    spec: { holderIdentity: holders === '' ? null : holders },
  }
}
