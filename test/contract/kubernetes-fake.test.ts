import { FakeKubernetes, UID } from '../fakes/kubernetes.ts'
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
