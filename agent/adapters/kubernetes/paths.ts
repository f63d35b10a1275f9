import type { Kind, ObjectRef } from '../../ports/kubernetes.ts'

/** Where each kind is served; `group` is that of its RBAC rules. */
const RESOURCES: Record<Kind, { base: string; group: string; resource: string }> = {
  Node: { base: '/api/v1', group: '', resource: 'nodes' },
  Pod: { base: '/api/v1', group: '', resource: 'pods' },
  DaemonSet: { base: '/apis/apps/v1', group: 'apps', resource: 'daemonsets' },
}

export function pathOf({ kind, namespace, name }: ObjectRef<Kind>): string {
  const { base, resource } = RESOURCES[kind]
  const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`
  return `${base}${scope}/${resource}/${encodeURIComponent(name)}`
}

export function listPath(kind: Kind, namespace: string, labels: Record<string, string>): string {
  const { base, resource } = RESOURCES[kind]
  const selector = Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',')
  const query = `?labelSelector=${encodeURIComponent(selector)}`
  return `${base}/namespaces/${encodeURIComponent(namespace)}/${resource}${query}`
}

export function resourceOf(kind: Kind): { group: string; resource: string } {
  return RESOURCES[kind]
}

/** As `kubectl create clusterrole --resource` takes it. */
export function resourceText(kind: Kind): string {
  const { group, resource } = RESOURCES[kind]
  return group === '' ? resource : `${resource}.${group}`
}
