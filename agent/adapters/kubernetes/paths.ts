import type { Kind, ObjectRef } from '../../ports/kubernetes.ts'

/** Of any kind; `resource` is as RBAC names it, where the kind is none of the agent's. */
export interface NamedKind {
  kind: string
  name: string
  namespace?: string
  resource?: string
}

/** Where each kind is served; `group` is that of its RBAC rules. */
const RESOURCES: Record<Kind, { base: string; group: string; resource: string }> = {
  Node: { base: '/api/v1', group: '', resource: 'nodes' },
  ConfigMap: { base: '/api/v1', group: '', resource: 'configmaps' },
  Pod: { base: '/api/v1', group: '', resource: 'pods' },
  Lease: { base: '/apis/coordination.k8s.io/v1', group: 'coordination.k8s.io', resource: 'leases' },
  DaemonSet: { base: '/apis/apps/v1', group: 'apps', resource: 'daemonsets' },
  Deployment: { base: '/apis/apps/v1', group: 'apps', resource: 'deployments' },
}

/** The groups beside the core, with the first release of Kubernetes that serves each. */
const SINCE: Record<string, string> = {
  'apps/v1': '1.9',
  'authorization.k8s.io/v1': '1.6',
  'coordination.k8s.io/v1': '1.14',
}

/** The group and version that a path is of, and since when there is one; null for the core. */
export function groupVersionOf(path: string): { name: string; since: string } | null {
  const name = /^\/apis\/([^/]+\/[^/]+)\//.exec(path)?.[1]
  const since = name === undefined ? undefined : SINCE[name]
  return name === undefined || since === undefined ? null : { name, since }
}

export function pathOf(ref: ObjectRef<Kind>): string {
  return `${collectionOf(ref)}/${encodeURIComponent(ref.name)}`
}

/** Where all of a kind are, of one namespace if it has one. */
export function collectionOf({ kind, namespace }: Omit<ObjectRef<Kind>, 'name'>): string {
  const { base, resource } = RESOURCES[kind]
  const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`
  return `${base}${scope}/${resource}`
}

export function resourceOf(kind: Kind): { group: string; resource: string } {
  return RESOURCES[kind]
}

/** As `kubectl create clusterrole --resource` takes it. */
export function resourceText(kind: Kind): string {
  const { group, resource } = RESOURCES[kind]
  return group === '' ? resource : `${resource}.${group}`
}
