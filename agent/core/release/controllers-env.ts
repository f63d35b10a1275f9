import semver from 'semver'
import { envMap } from '../docker/health.ts'
import type { ContainerJson } from '../docker/json.ts'
import type { Problem } from '../errors.ts'
import type { ObservedControllers, ObservedImage } from '../model.ts'
import { nodeVersions } from './node-versions.ts'

/** kube-controllers began anew at v1.0.0, with Calico 2.6; kube-policy-controller ended at v0.7.0, with 2.5. */
const FIRST_KUBE_CONTROLLERS = '1.0.0'
const IN_CLUSTER_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount'

/**
 * What prevents a move from kube-policy-controller to kube-controllers with the same environment. ETCD_ENDPOINTS,
 * ETCD_*_FILE and LOG_LEVEL mean the same in both, and without ENABLED_CONTROLLERS the new ones do what the old one did
 * (docs.projectcalico.org v2.5 and v2.6, reference of both).
 */
export function controllersEnv(
  controllers: ObservedControllers,
  image: ObservedImage,
): (Pick<Problem, 'message' | 'fix'> & Partial<Problem>)[] {
  const { from, to } = nodeVersions(controllers, image)
  const { container, pod } = controllers
  if (!isPolicyController(container.Config.Image, from) || isPolicyController(image.ref, to)) return []
  const name = pod?.container ?? container.Name.replace(/^\//, '')
  const env = envMap(container.Config.Env)
  const missing = [...apiSettings(container, env), ...etcdSettings(env)]
  const settings = missing.map(({ how }) => how).join(' and ')
  const refused = {
    message: `cannot upgrade ${name} from kube-policy-controller to kube-controllers: it reads other settings, and these are missing: ${missing.map(({ what }) => what).join(' and ')}`,
    fix: `${changeBy(controllers, name, settings)}; the agent carries over everything else`,
  }
  return [...(missing.length > 0 ? [refused] : []), ...electionEnds(name, env)]
}

/** How to change the settings of the controllers, by their owner. */
export function changeBy({ pod, unit, owner }: ObservedControllers, name: string, settings: string): string {
  if (owner.kind === 'deployment')
    return `set in Deployment ${owner.namespace}/${owner.name} the equivalent of docker run ${settings}`
  if (pod) return `set in ${pod.manifest.path} the equivalent of docker run ${settings}`
  return unit
    ? `add ${settings} to docker run in ${unit.source.name}, and restart it with the old image`
    : `recreate ${name} with ${settings}`
}

function isPolicyController(ref: string, version: string | null): boolean {
  if (/kube-policy-controller(?:[:@]|$)/.test(ref)) return true
  return version !== null && semver.lt(version, FIRST_KUBE_CONTROLLERS)
}

interface Setting {
  what: string
  how: string
}

/** K8S_API is no longer read: the API is found with a kubeconfig, or with what Kubernetes gives to a pod. */
function apiSettings({ Mounts }: ContainerJson, env: Map<string, string>): Setting[] {
  const isInCluster =
    Boolean(env.get('KUBERNETES_SERVICE_HOST')) &&
    Boolean(env.get('KUBERNETES_SERVICE_PORT')) &&
    Mounts.some(({ Destination }) => IN_CLUSTER_TOKEN.startsWith(Destination))
  if (env.get('KUBECONFIG') || isInCluster) return []
  const api = env.get('K8S_API') ?? ''
  const server = api === '' ? '' : `, whose server is ${api}`
  return [{ what: 'KUBECONFIG (K8S_API is not read)', how: `-e KUBECONFIG=FILE -v FILE:FILE:ro${server}` }]
}

function etcdSettings(env: Map<string, string>): Setting[] {
  const authority = env.get('ETCD_AUTHORITY') ?? ''
  if (env.get('ETCD_ENDPOINTS') || authority === '') return []
  const endpoint = `${env.get('ETCD_SCHEME') || 'http'}://${authority}`
  return [{ what: 'ETCD_ENDPOINTS', how: `-e ETCD_ENDPOINTS=${endpoint}` }]
}

function electionEnds(name: string, env: Map<string, string>) {
  if (env.get('LEADER_ELECTION') !== 'true') return []
  return [
    {
      severity: 'warning' as const,
      message: `${name} elects a leader (LEADER_ELECTION), and kube-controllers does not: only one may run in the cluster`,
      fix: 'stop the controllers of every other host first',
    },
  ]
}
