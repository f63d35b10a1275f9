import { envMap } from '../docker/health.ts'

/** How calico/node finds its datastore, by the names of calicoctl.cfg; what is empty is not set. */
const VARIABLES = {
  datastoreType: 'DATASTORE_TYPE',
  etcdEndpoints: 'ETCD_ENDPOINTS',
  etcdAuthority: 'ETCD_AUTHORITY',
  etcdScheme: 'ETCD_SCHEME',
  etcdDiscoverySrv: 'ETCD_DISCOVERY_SRV',
  kubeconfig: 'KUBECONFIG',
  k8sAPIEndpoint: 'K8S_API_ENDPOINT',
} as const

type Setting = keyof typeof VARIABLES

export interface DatastoreSettings extends Record<Setting, string> {
  /** What a pod's environment says of the API server. */
  inCluster: { host: string; port: string } | null
  /** The file that they stand in; null for the environment. */
  file: string | null
}

/** calico/node itself reads the environment alone; where this file is mounted, it shows what its operator means. */
export const CALICOCTL_CFG = '/etc/calico/calicoctl.cfg'

/** `CALICO_NAME` goes before `NAME` (projectcalico/libcalico-go: lib/apiconfig, read by envconfig with that prefix). */
export function settingsOfEnv(env: string[] | null | undefined): DatastoreSettings {
  const map = envMap(env)
  const [host, port] = [map.get('KUBERNETES_SERVICE_HOST') ?? '', map.get('KUBERNETES_SERVICE_PORT') ?? '']
  return {
    ...each((_, variable) => map.get(`CALICO_${variable}`) || map.get(variable)),
    inCluster: host === '' || port === '' ? null : { host, port },
    file: null,
  }
}

/** Of a calicoctl.cfg, as it was parsed; what the environment has of the API server goes on to count. */
export function settingsOfConfig(
  document: unknown,
  { inCluster }: Pick<DatastoreSettings, 'inCluster'>,
): DatastoreSettings {
  const spec = member(document, 'spec')
  return {
    ...each((setting) => {
      const value = member(spec, setting)
      return typeof value === 'string' ? value : undefined
    }),
    inCluster,
    file: CALICOCTL_CFG,
  }
}

/** Something of it says where the datastore is, and not only of which kind. */
export function namesDatastore(settings: DatastoreSettings): boolean {
  const { etcdEndpoints, etcdAuthority, etcdDiscoverySrv, kubeconfig, k8sAPIEndpoint } = settings
  const isKubernetes = settings.datastoreType === 'kubernetes'
  const api = [kubeconfig, k8sAPIEndpoint, settings.inCluster?.host ?? '']
  return [etcdEndpoints, etcdAuthority, etcdDiscoverySrv, ...(isKubernetes ? api : [])].some(Boolean)
}

/** The name of a setting in the place that sets it: a variable, or a key of the file. */
export function settingName(setting: Setting, { file }: DatastoreSettings): string {
  return file === null ? VARIABLES[setting] : `${setting} in ${file}`
}

/** A member of what may be an object. */
export function member(value: unknown, name: string): unknown {
  const isObject = typeof value === 'object' && value !== null
  return isObject ? (value as Record<string, unknown>)[name] : undefined
}

function each(valueOf: (setting: Setting, variable: string) => string | undefined): Record<Setting, string> {
  const entries = Object.entries(VARIABLES) as [Setting, string][]
  return Object.fromEntries(
    entries.map(([setting, variable]) => [setting, (valueOf(setting, variable) ?? '').trim()]),
  ) as Record<Setting, string>
}
