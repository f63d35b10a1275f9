import { describe, expect, it } from 'vitest'
import {
  type DeploymentObject,
  deploymentOf,
  deploymentPatch,
  isChanged,
} from '../../../agent/core/kubernetes/deployment.ts'

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

describe('the patch of a Deployment to the template of a manifest', () => {
  const template = (env: string) => ({
    spec: { containers: [{ name: 'controllers', image: 'c:1', env: [{ name: env, value: '1' }] }] },
  })
  const set: DeploymentObject = {
    metadata: {
      name: 'controllers',
      namespace: 'kube-system',
      uid: 'u',
      resourceVersion: '7',
      generation: 3,
    },
    spec: { strategy: { type: 'RollingUpdate' }, selector: {}, template: template('BEFORE') },
  }
  const change = { container: 'controllers', image: 'c:1', run: 'R1' }

  it('replaces it as a whole and marks it, and takes the mark away on the way back', () => {
    const to = { ...change, manifest: { mark: 'm1', template: template('NOW') } }
    expect(deploymentPatch(set, to)).toMatchObject({
      metadata: { resourceVersion: '7' },
      spec: {
        strategy: { type: 'Recreate' },
        template: {
          $patch: 'replace',
          metadata: { annotations: { 'calico-agent/manifest': 'm1' } },
          spec: template('NOW').spec,
        },
      },
    })
    expect(isChanged(set, to)).toBe(false)
    const marked = { ...template('NOW'), metadata: { annotations: { 'calico-agent/manifest': 'm1' } } }
    const done: DeploymentObject = { ...set, spec: { ...set.spec, template: marked } }
    expect(isChanged(done, to)).toBe(true)
    const back = { ...change, manifest: { mark: null, template: template('BEFORE') } }
    expect(deploymentPatch(done, back)).toMatchObject({
      spec: { template: { $patch: 'replace', metadata: { annotations: {} }, spec: template('BEFORE').spec } },
    })
  })
})
