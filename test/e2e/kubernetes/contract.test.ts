import { afterAll, beforeAll, expect, it } from 'vitest'
import { createLeaseStore } from '../../../agent/adapters/fleet/leases.ts'
import { createKubernetes } from '../../../agent/adapters/kubernetes/kubernetes.ts'
import type { Kubernetes, Watches } from '../../../agent/ports/kubernetes.ts'
import { anyKindsContract } from '../../contract/any-kinds-contract.ts'
import { fleetContract } from '../../contract/fleet-contract.ts'
import { fleetStoreContract } from '../../contract/fleet-store-contract.ts'
import { kubernetesContract } from '../../contract/kubernetes-contract.ts'
import { hostOn } from '../../fleet/group-on.ts'
import { kubeconfigHere } from '../../lab/index.ts'
import { lab } from '../support.ts'

const cluster = lab.kubernetes()
const FLEET = `fleet-${process.pid}`
const labels = { contract: 'kubernetes' }
let here: Awaited<ReturnType<typeof kubeconfigHere>>
let kubernetes: Kubernetes & Watches

beforeAll(async () => {
  await cluster.start()
  here = await kubeconfigHere(cluster)
  kubernetes = createKubernetes({ kubeconfig: here.kubeconfig, inCluster: false, node: 'auto' })
  await cluster.kubectl(['create', 'namespace', FLEET])
})

afterAll(async () => {
  await cluster.kubectl(['delete', 'nodes', '--selector', 'contract=kubernetes'])
  const made = Array.from({ length: objects }, (_, i) => `contract-${process.pid}-${i + 1}`)
  for (const kind of ['configmap', 'clusterrole'])
    await cluster.kubectl(['delete', kind, ...made, '--ignore-not-found'])
  await cluster.kubectl(['delete', 'namespace', FLEET, '--wait=false'])
  await cluster.kill()
  await here.close()
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

let groups = 0
const newGroup = (): string => `group-${++groups}`
const storeOf = (group: string) => createLeaseStore(kubernetes, { namespace: FLEET, group })

fleetStoreContract('Leases of the API server', () => Promise.resolve(storeOf(newGroup())))

fleetContract('Leases of the API server', () => {
  const group = newGroup()
  return Promise.resolve((name) => hostOn(storeOf(group), name))
})

it('shows who is at work to kubectl get leases', async () => {
  const group = newGroup()
  await hostOn(storeOf(group), 'host-1').take({ run: 'run-1', target: 'v2' })
  const lease = [
    'get',
    'lease',
    '-n',
    FLEET,
    `calico-agent.${group}`,
    '-o',
    'jsonpath={.spec.holderIdentity}',
  ]
  expect(await cluster.kubectl(lease)).toBe('host-1')
  await hostOn(storeOf(group), 'host-1').giveBack('untouched')
  expect(await cluster.kubectl(lease)).toBe('')
})

it('lets a take come too late that its host has given up', async () => {
  const group = newGroup()
  const store = storeOf(group)
  const late = await store.read()
  await hostOn(store, 'host-1').drop('run-1')
  expect(await store.write('late', late.version, '')).toBe(false)
  const next = await store.read()
  await hostOn(store, 'host-1').drop('run-1')
  expect(await store.write('late', next.version, '')).toBe(false)
})

it('names the namespace that is not there', async () => {
  const store = createLeaseStore(kubernetes, { namespace: 'nowhere', group: 'default' })
  await expect(hostOn(store, 'host-1').take({ run: 'run-1', target: 'v2' })).rejects.toMatchObject({
    code: 'kubernetes-gone',
    fix: 'kubectl create namespace nowhere',
  })
})
