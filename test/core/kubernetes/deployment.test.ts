import { describe, expect, it } from 'vitest'
import { deploymentOf } from '../../../agent/core/kubernetes/deployment.ts'

describe('the Deployment of a pod', () => {
  const owner = (hash: string, name: string) =>
    deploymentOf({
      metadata: {
        name: `${name}-x2k4p`,
        namespace: 'kube-system',
        uid: 'u',
        resourceVersion: '1',
        labels: { 'pod-template-hash': hash },
        ownerReferences: [{ kind: 'ReplicaSet', name, controller: true }],
      },
      spec: { containers: [] },
    })

  it.each([
    ['as its ReplicaSet is named', '67594d6bf6'],
    ['as a number, before Kubernetes 1.12', '2315082692'],
  ])('is found with a hash %s', (_, hash) => {
    expect(owner(hash, 'controllers-67594d6bf6')).toEqual({ namespace: 'kube-system', name: 'controllers' })
  })

  it('is none where a ReplicaSet has a name of its own', () => {
    expect(owner('2315082692', 'controllers')).toBeNull()
    expect(owner('2315082692', 'controllers-67594d6bf7')).toBeNull()
  })
})
