import type { Host } from '../host.ts'
import { AGENT_USER } from './audit.ts'
import type { Kubernetes } from './cluster.ts'

export const AGENT_KUBECONFIG = '/etc/calico-agent/kubeconfig'

/** The rights of docs/hosted.md for images. */
export const HOSTED_RULES = [
  { apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list', 'patch'] },
  { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'delete'] },
  { apiGroups: ['apps'], resources: ['daemonsets'], verbs: ['get', 'patch'] },
  { apiGroups: ['apps'], resources: ['controllerrevisions'], verbs: ['get'] },
]

/** For a whole manifest, which may have any object and grants rights itself. */
export const ANYTHING = [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }]

/** A kubeconfig of the agent's user on each host, with these rights. */
export async function admitAgents(kubernetes: Kubernetes, hosts: readonly Host[]): Promise<void> {
  await grant(kubernetes, HOSTED_RULES)
  const kubeconfig = await kubernetes.kubeconfigOf(AGENT_USER, { name: AGENT_USER })
  for (const host of hosts) await host.writeFile(AGENT_KUBECONFIG, kubeconfig, 0o600)
}

/** Gives the agent's user these rights, and no others. */
export async function grant(kubernetes: Kubernetes, rules: readonly object[]): Promise<void> {
  const group = 'rbac.authorization.k8s.io'
  const metadata = { name: AGENT_USER }
  await kubernetes.apply(
    { apiVersion: `${group}/v1`, kind: 'ClusterRole', metadata, rules },
    {
      apiVersion: `${group}/v1`,
      kind: 'ClusterRoleBinding',
      metadata,
      roleRef: { apiGroup: group, kind: 'ClusterRole', name: AGENT_USER },
      subjects: [{ apiGroup: group, kind: 'User', name: AGENT_USER }],
    },
  )
}
