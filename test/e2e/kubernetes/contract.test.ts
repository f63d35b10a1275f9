import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { createKubernetes } from '../../../agent/adapters/kubernetes/kubernetes.ts'
import type { Kubernetes } from '../../../agent/ports/kubernetes.ts'
import { anyKindsContract } from '../../contract/any-kinds-contract.ts'
import { kubernetesContract } from '../../contract/kubernetes-contract.ts'
import { forwardFrom } from '../../lab/kubernetes/forward.ts'
import { lab } from '../support.ts'

const cluster = lab.kubernetes()
const labels = { contract: 'kubernetes' }
let directory: string
let forward: Awaited<ReturnType<typeof forwardFrom>>
let kubernetes: Kubernetes

beforeAll(async () => {
  await cluster.start()
  forward = await forwardFrom(cluster.address, 443)
  directory = await mkdtemp(join(tmpdir(), 'kubernetes-contract-'))
  const kubeconfig = join(directory, 'kubeconfig')
  const admin = await cluster.kubeconfigOf('contract', { name: 'contract', group: 'system:masters' })
  // it is another address than the one in its certificate
  const here = `https://127.0.0.1:${forward.port}", "tls-server-name": "kubernetes`
  await writeFile(kubeconfig, admin.replace(cluster.server, here))
  kubernetes = createKubernetes({ kubeconfig, inCluster: false, node: 'auto' })
})

afterAll(async () => {
  await cluster.kubectl(['delete', 'nodes', '--selector', 'contract=kubernetes'])
  const made = Array.from({ length: objects }, (_, i) => `contract-${process.pid}-${i + 1}`)
  for (const kind of ['configmap', 'clusterrole'])
    await cluster.kubectl(['delete', kind, ...made, '--ignore-not-found'])
  await cluster.kill()
  forward.close()
  await rm(directory, { recursive: true })
})

kubernetesContract('the API server', async () => {
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { generateName: 'contract-', labels } }
  const created = await cluster.kubectl(['create', '-f', '-', '-o', 'json'], JSON.stringify(node))
  const { name, uid } = (JSON.parse(created) as { metadata: { name: string; uid: string } }).metadata
  const kubectl = async (command: string): Promise<void> => {
    await cluster.kubectl([command, name])
  }
  return { kubernetes, name, uid, kubectl }
})

let objects = 0

anyKindsContract('the API server', () => {
  objects += 1
  const name = `contract-${process.pid}-${objects}`
  const edit = async (key: string, value: string, manager: string): Promise<void> => {
    const patch = JSON.stringify({ data: { [key]: value } })
    await cluster.kubectl(['patch', 'configmap', name, '--field-manager', manager, '-p', patch])
  }
  return Promise.resolve({ api: kubernetes, name, edit })
})
