import { expect, it } from 'vitest'
import { objectOf } from '../../../agent/adapters/kubernetes/answer.ts'
import type { Credential } from '../../../agent/adapters/kubernetes/credential.ts'
import { pathOf } from '../../../agent/adapters/kubernetes/paths.ts'
import type { Kind } from '../../../agent/ports/kubernetes.ts'

const credential = { server: 'https://192.0.2.1:6443', origin: '/kubeconfig' } as Credential

function asked(kind: Kind): () => unknown {
  const ref = { kind, namespace: 'a', name: 'b' }
  const answer = { status: 404, text: '404 page not found\n' }
  return () => objectOf({ verb: 'get', path: pathOf(ref), ref }, answer, credential)
}

it.each([
  ['Lease', 'coordination.k8s.io/v1 (Kubernetes 1.14 or later)'],
  ['Deployment', 'apps/v1 (Kubernetes 1.9 or later)'],
] as const)('names the release that serves a %s, and may be one that starts', (kind, group) => {
  const message = `cannot get ${kind} b: this API server has no ${group}`
  expect(asked(kind)).toThrow(
    expect.objectContaining({ code: 'kubernetes-refused', message, isTransient: true }),
  )
})

it('takes who does not serve even Nodes for no API server', () => {
  expect(asked('Node')).toThrow(expect.objectContaining({ code: 'kubernetes-unreachable' }))
})
