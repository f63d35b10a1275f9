import { expect } from 'vitest'
import type { StatusReport } from '../../../agent/core/report/status.ts'
import { FAULTY_AGENT } from '../../faults/trial.ts'
import type { ExecResult, Host } from '../../lab/index.ts'
import { type AgentResult, containers, image, lab, parseReport } from '../support.ts'

export const cluster = lab.kubernetes()

/** Without what earlier files left in it. */
export async function startCluster(): Promise<void> {
  await cluster.start()
  await cluster.clear()
}

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

/** The lab's images are of releases that no host takes one after the other. */
export const BOTH_WAYS = ['--allow', 'downgrade']

/** On a host, by the credential of its kubelet. */
export const KUBECTL = '/opt/kubernetes/kubectl --kubeconfig /etc/kubernetes/kubelet.conf'

/** The first patch cordons, the second one uncordons. */
export const DEATHS = [
  'before kubernetes.patch#1',
  'after kubernetes.patch#1',
  'after docker.killContainer#1',
  'before kubernetes.patch#2',
  'after kubernetes.patch#2',
]

export async function faultyUpgrade(host: Host, fault: string): Promise<ExecResult> {
  const argv = ['upgrade', '--node', await otherImage(host), ...BOTH_WAYS, '--json']
  return await host.run([`/opt/calico-agent/${FAULTY_AGENT}`, ...argv], { env: { AGENT_FAULT: fault } })
}

/** An upgrade in whose open window the script runs to its end. */
export async function upgradeWhile(host: Host, script: string): Promise<AgentResult> {
  const path = '/root/meanwhile'
  await host.writeFile(path, `#!/bin/sh\n${script}\n`, 0o755)
  const { code, stdout, stderr } = await faultyUpgrade(host, `after docker.startContainer#1=${path}`)
  return { code, stderr, report: parseReport(stdout, stderr) }
}

export async function clusterStatus(host: Host): Promise<StatusReport['kubernetes']> {
  const { stdout } = await host.run(['agent', 'status', '--json'])
  return (JSON.parse(stdout) as StatusReport).kubernetes
}

export async function expectOneNode(host: Host): Promise<void> {
  const running = (await containers(host)).filter((one) => one.includes(' running '))
  expect(running).toEqual([expect.stringMatching(/^calico-node v2\.6\.\d+ running always$/)])
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
