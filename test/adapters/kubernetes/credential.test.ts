import { expect, it } from 'vitest'
import { loadCredential } from '../../../agent/adapters/kubernetes/credential.ts'

it('has no credential of a pod where it is none', async () => {
  await expect(loadCredential({ kubeconfig: null, inCluster: true })).rejects.toThrow('this is not a pod')
})
