import { FakeObjects } from '../fakes/any-objects.ts'
import { FakeKubernetes, UID } from '../fakes/kubernetes.ts'
import { anyKindsContract } from './any-kinds-contract.ts'
import { kubernetesContract } from './kubernetes-contract.ts'

kubernetesContract('the fake', () => {
  const kubernetes = new FakeKubernetes('host-1')
  return Promise.resolve({
    kubernetes,
    name: 'host-1',
    uid: UID,
    kubectl: (command) => {
      kubernetes.setUnschedulable(command === 'cordon', 'kubectl')
      return Promise.resolve()
    },
  })
})

anyKindsContract('the fake', () => {
  const api = new FakeObjects()
  const name = 'contract'
  const edit = (key: string, value: string, manager: string) => {
    const metadata = { name, namespace: 'default' }
    api.write({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { [key]: value } }, manager)
    return Promise.resolve()
  }
  return Promise.resolve({ api, name, edit })
})
