import { describe, expect, it } from 'vitest'
import { wantedOf } from '../../agent/config/wanted.ts'
import { parse, problemsOf } from './parsing.ts'

describe('the section kubernetes', () => {
  it('is needed where a Deployment keeps the controllers', () => {
    const stated = 'controllers: { manager: deployment }'
    expect(problemsOf(stated).join('\n')).toContain(
      'controllers.manager: a Deployment is changed by the API server',
    )
    expect(parse(`${stated}\nkubernetes: {}`).controllers.manager).toBe('deployment')
  })

  it('is absent unless it is written', () => {
    expect(wantedOf(parse('window: 60'), []).kubernetes).toBeNull()
  })

  it('has a default for each key', () => {
    const config = parse('kubernetes: {}')
    expect(config.kubernetes).toEqual({
      inCluster: false,
      node: 'auto',
      cordon: true,
      namespace: 'calico-agent',
    })
    expect(wantedOf(config, []).kubernetes).toEqual({ cordon: true })
  })

  it.each([
    ['{ kubeconfig: kubelet.conf }', 'kubernetes.kubeconfig: must be an absolute path'],
    ['{ kubeconfig: /a, inCluster: true }', 'set kubeconfig or inCluster: true, not both'],
    ['{ node: Host_1 }', 'kubernetes.node: must be a Node name, or auto'],
    ['{ lease: Host_1 }', 'kubernetes.lease: must be the name of a Lease'],
    ['{ namespace: a.b }', 'kubernetes.namespace: must be the name of a namespace'],
    ['{ kubeConfig: /a }', 'kubeconfig'],
  ])('is not %s', (text, problem) => {
    expect(problemsOf(`kubernetes: ${text}`).join('\n')).toContain(problem)
  })
})
