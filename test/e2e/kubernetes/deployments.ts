import type { Host, Kubernetes } from '../../lab/index.ts'
import { NAME, SHARED } from '../controllers.ts'
import { configure, lab } from '../support.ts'

const CREDENTIAL = '/etc/calico-agent/cluster.conf'
export const ADMIN = '/etc/calico-agent/admin.conf'
const USER = 'calico-agent'

/** Rights that a change of the Deployment takes, as docs/controllers.md has them. */
const RULES = [
  { apiGroups: ['apps'], resources: ['deployments'], verbs: ['get', 'patch'] },
  { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] },
]
/** The Node of a host, and the DaemonSet of its calico-node. */
const FURTHER = [
  { apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list', 'patch'] },
  { apiGroups: ['apps'], resources: ['daemonsets'], verbs: ['get', 'patch'] },
  { apiGroups: [''], resources: ['pods'], verbs: ['delete'] },
]

/** Gives the agents of the hosts a credential of their own, with no right more than they use. */
export async function nameCluster(kubernetes: Kubernetes, hosts: readonly Host[]): Promise<void> {
  const group = 'rbac.authorization.k8s.io'
  const metadata = { name: USER }
  await kubernetes.apply(
    { apiVersion: `${group}/v1`, kind: 'ClusterRole', metadata, rules: [...RULES, ...FURTHER] },
    {
      apiVersion: `${group}/v1`,
      kind: 'ClusterRoleBinding',
      metadata,
      roleRef: { apiGroup: group, kind: 'ClusterRole', name: USER },
      subjects: [{ apiGroup: group, kind: 'User', name: USER }],
    },
  )
  const credential = await kubernetes.kubeconfigOf(USER, { name: USER, group: 'agents' })
  const admin = await kubernetes.kubeconfigOf('deployment-admin', { name: 'admin', group: 'system:masters' })
  for (const host of hosts) {
    await host.writeFile(CREDENTIAL, credential, 0o600)
    await host.writeFile(ADMIN, admin, 0o600)
    const registry = lab.registry.address
    await configure(host, { registry, window: 60, settle: 2, kubernetes: { kubeconfig: CREDENTIAL } })
  }
}

interface Deployment {
  metadata: { annotations?: Record<string, string> }
  spec: {
    strategy: { type: string; rollingUpdate?: { maxSurge: number; maxUnavailable: number } }
    template: { spec: { containers: { image: string }[] } }
  }
  status: { availableReplicas?: number }
}

/** What stands of the Deployment, in a line. */
export async function stateOf(kubernetes: Kubernetes): Promise<string> {
  const { spec, status } = await kubernetes.get<Deployment>(['-n', 'kube-system', 'deployment', NAME])
  const tag = spec.template.spec.containers[0]?.image.split(':').at(-1) ?? ''
  const { type, rollingUpdate: rolling } = spec.strategy
  const limits = rolling ? ` ${rolling.maxSurge}/${rolling.maxUnavailable}` : ''
  return `${tag} ${type}${limits}, ${status.availableReplicas ?? 0} available`
}

interface Pods {
  items: { spec: { nodeName: string } }[]
}

/** The host that runs the pod first, and the others. */
export async function placed(kubernetes: Kubernetes, hosts: readonly Host[]): Promise<[Host, Host]> {
  const { items } = await kubernetes.get<Pods>(['-n', 'kube-system', 'pods', '-l', `k8s-app=${NAME}`])
  const here = hosts.find(({ name }) => name === items[0]?.spec.nodeName)
  const elsewhere = hosts.find((host) => host !== here)
  if (!here || !elsewhere || items.length !== 1) throw new Error(`${items.length} pods of ${NAME}`)
  return [here, elsewhere]
}

/** How many containers of the controllers all hosts had alive at once since `since`, in ms since the epoch. */
export async function mostInCluster(hosts: readonly Host[], since: number): Promise<number> {
  const range = [since, Date.now()].map((ms) => (ms / 1000).toFixed(3))
  const label = `label=io.kubernetes.container.name=${NAME}`
  const argv = ['docker', 'events', '--since', range[0] ?? '', '--until', range[1] ?? '', '--filter', label]
  const format = ['--format', '{{.TimeNano}} {{.Action}} {{.ID}}']
  const lines = await Promise.all(hosts.map((host) => host.ok([...argv, ...format])))
  const events = lines.flatMap((text) => text.split('\n').filter(Boolean)).sort()
  const alive = new Set<string>()
  let most = 0
  for (const [, action, id = ''] of events.map((line) => line.split(' '))) {
    if (action === 'start') alive.add(id)
    if (action === 'die') alive.delete(id)
    most = Math.max(most, alive.size)
  }
  return most
}

/** What the instances of each host wrote down of others that they found at work. */
export async function overlapsIn(hosts: readonly Host[]): Promise<string> {
  const seen = await Promise.all(hosts.map((host) => host.run(['cat', `${SHARED}/overlaps`])))
  return seen.map(({ stdout }) => stdout).join('')
}

export const controllers = (tag: string): string => lab.registry.controllersImage(tag)
