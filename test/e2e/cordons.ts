import type { StatusReport } from '../../agent/core/report/status.ts'
import type { Host } from '../lab/index.ts'
import { containers, image, lab } from './support.ts'

export const cluster = lab.kubernetes()

/** What `kubectl get node` says of a cordon. */
interface NodeSeen {
  unschedulable: boolean
  run: string | null
}

export async function nodeSeen(name: string): Promise<NodeSeen> {
  const { metadata, spec } = await cluster.get<{
    metadata: { annotations?: Record<string, string> }
    spec?: { unschedulable?: boolean }
  }>(['node', name])
  const run = metadata.annotations?.['calico-agent/cordoned-by'] ?? null
  return { unschedulable: spec?.unschedulable ?? false, run }
}

export const SCHEDULABLE: NodeSeen = { unschedulable: false, run: null }

/** The image that does not run: each run is the way back of the one before. */
export async function otherImage(host: Host): Promise<string> {
  const running = (await containers(host)).filter((one) => one.includes(' running '))
  return image(running.some((one) => one.includes('v2.6.5')) ? 'v2.6.12' : 'v2.6.5')
}

export async function clusterStatus(host: Host): Promise<StatusReport['kubernetes']> {
  const { stdout } = await host.run(['agent', 'status', '--json'])
  return (JSON.parse(stdout) as StatusReport).kubernetes
}

/** A webhook that must agree to each change of a Node, and that nobody serves. */
export const UNSERVED_WEBHOOK = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingWebhookConfiguration',
  metadata: { name: 'unserved' },
  webhooks: [
    {
      name: 'unserved.example.com',
      admissionReviewVersions: ['v1'],
      sideEffects: 'None',
      failurePolicy: 'Fail',
      clientConfig: { url: 'https://127.0.0.1:1/' },
      rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['nodes'] }],
    },
  ],
}

/** The role of docs/kubernetes.md, for one user. */
export function documentedRole(user: string): object[] {
  const group = 'rbac.authorization.k8s.io'
  const metadata = { name: 'calico-agent-cordon' }
  return [
    {
      ...{ apiVersion: `${group}/v1`, kind: 'ClusterRole', metadata },
      rules: [{ apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list', 'patch'] }],
    },
    {
      ...{ apiVersion: `${group}/v1`, kind: 'ClusterRoleBinding', metadata },
      roleRef: { apiGroup: group, kind: 'ClusterRole', name: metadata.name },
      subjects: [{ apiGroup: group, kind: 'User', name: user }],
    },
  ]
}
