import { describe, expect, it } from 'vitest'
import { objectDiff } from '../../../agent/core/plan/object-diff.ts'

const pod = (env: object[], image = 'node:1', args: string[] = []) =>
  ({
    spec: { containers: [{ name: 'calico-node', image, env, args }], hostNetwork: true },
  }) as never

describe('the diff of an object', () => {
  it('is nothing where nothing differs', () => {
    expect(objectDiff('x', pod([]), pod([]))).toEqual([])
  })

  it('has a line for each field that differs, and what stands in a list by its name', () => {
    expect(
      objectDiff('daemonset x', pod([{ name: 'A', value: '1' }]), pod([{ name: 'B', value: '2' }], 'node:2')),
    ).toEqual([
      {
        target: 'daemonset x',
        before: 'spec.containers[calico-node].image: node:1\nspec.containers[calico-node].env[A]: 1\n',
        after: 'spec.containers[calico-node].image: node:2\nspec.containers[calico-node].env[B]: 2\n',
      },
    ])
  })

  it('of a new object is all of it', () => {
    const [entry] = objectDiff('clusterrole x', null, { rules: [{ verbs: ['get', 'list'] }] })
    expect(entry).toMatchObject({ before: '', after: 'rules[0].verbs[0]: get\nrules[0].verbs[1]: list\n' })
  })

  it('hides the values of secrets, and says that they change', () => {
    const password = (value: string) => pod([{ name: 'ETCD_PASSWORD', value }])
    const [entry] = objectDiff('x', password('hunter2'), password('hunter3'))
    expect(entry).toEqual({
      target: 'x',
      before: 'spec.containers[calico-node].env[ETCD_PASSWORD]: <redacted>\n',
      after: 'spec.containers[calico-node].env[ETCD_PASSWORD]: <redacted> (changed)\n',
    })
    const args = JSON.stringify(objectDiff('x', null, pod([], 'node:1', ['--password', 'hunter2'])))
    expect(args).not.toContain('hunter2')
    const [before, after] = ['one', 'two'].map((value) => pod([], 'node:1', ['--password', value]))
    const [changed] = objectDiff('x', before as never, after as never)
    expect(changed?.after).toBe('spec.containers[calico-node].args[1]: <redacted> (changed)\n')
    const secret = (value: string) => ({
      kind: 'Secret',
      metadata: { annotations: { applied: value } },
      data: { 'etcd-cert': value },
      stringData: { plain: value },
    })
    const text = JSON.stringify(objectDiff('x', secret('one'), secret('two')))
    expect(text).toContain('data.etcd-cert: <redacted>')
    expect(text).not.toMatch(/one|two/)
  })
})
