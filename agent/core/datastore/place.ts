import semver from 'semver'
import { type DatastoreSettings, member, settingName } from './settings.ts'

/** Where the settings lead; `by` is what names it. */
export type DatastorePlace =
  | { kind: 'etcd' | 'kubernetes'; by: string; urls: string[] }
  /** etcd's DNS discovery. */
  | { kind: 'etcd-srv'; by: string; domain: string }
  /** A file in the container. */
  | { kind: 'kubeconfig'; by: string; path: string }

const DEFAULT_AUTHORITY = '127.0.0.1:2379'
/** Calico v3 has no default for etcd. */
const FIRST_WITHOUT_DEFAULT = '3.0.0'

/**
 * As calico/node decides it (projectcalico/libcalico-go: lib/api/apiconfig.go and lib/backend/etcd of v1,
 * lib/apiconfig/load.go of v3); null where it cannot be told. `version` is calico/node's, null where it is not known.
 */
export function datastorePlace(settings: DatastoreSettings, version: string | null): DatastorePlace | null {
  if (settings.datastoreType === 'kubernetes') return apiPlace(settings)
  const named = etcdPlace(settings)
  if (named) return named
  const isV2 = version !== null && semver.lt(version, FIRST_WITHOUT_DEFAULT)
  if (!isV2) return settings.datastoreType === '' && version !== null ? apiPlace(settings) : null
  const { datastoreType, etcdScheme } = settings
  if (datastoreType !== '' && datastoreType !== 'etcdv2') return null
  return {
    kind: 'etcd',
    by: "v2's default, as no setting names one",
    urls: [`${etcdScheme || 'http'}://${DEFAULT_AUTHORITY}`],
  }
}

function etcdPlace(settings: DatastoreSettings): DatastorePlace | null {
  const { etcdEndpoints, etcdDiscoverySrv: domain, etcdAuthority, etcdScheme } = settings
  if (etcdEndpoints !== '') {
    const urls = etcdEndpoints.split(',').map((url) => url.trim())
    return { kind: 'etcd', by: settingName('etcdEndpoints', settings), urls: urls.filter(Boolean) }
  }
  if (domain !== '') return { kind: 'etcd-srv', by: settingName('etcdDiscoverySrv', settings), domain }
  if (etcdAuthority === '') return null
  const urls = [`${etcdScheme || 'http'}://${etcdAuthority}`]
  return { kind: 'etcd', by: settingName('etcdAuthority', settings), urls }
}

/** The endpoint goes before the file's, and both before what Kubernetes gives to a pod. */
function apiPlace(settings: DatastoreSettings): DatastorePlace | null {
  const { k8sAPIEndpoint, kubeconfig: path, inCluster } = settings
  if (k8sAPIEndpoint !== '') {
    const by = settingName('k8sAPIEndpoint', settings)
    return { kind: 'kubernetes', by, urls: [k8sAPIEndpoint] }
  }
  if (path !== '') return { kind: 'kubeconfig', by: settingName('kubeconfig', settings), path }
  if (inCluster === null) return null
  const host = inCluster.host.includes(':') ? `[${inCluster.host}]` : inCluster.host
  return { kind: 'kubernetes', by: 'KUBERNETES_SERVICE_HOST', urls: [`https://${host}:${inCluster.port}`] }
}

/** The API server of a kubeconfig's current context, as the file was parsed; null where it names none. */
export function apiServerOf(document: unknown): string | null {
  const named = (list: string, name: unknown): unknown => {
    const entries: unknown = member(document, list)
    return Array.isArray(entries) ? entries.find((entry) => member(entry, 'name') === name) : undefined
  }
  const context = member(named('contexts', member(document, 'current-context')), 'context')
  const server = member(member(named('clusters', member(context, 'cluster')), 'cluster'), 'server')
  return typeof server === 'string' && server !== '' ? server : null
}
