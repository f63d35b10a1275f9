import { describe, expect, it } from 'vitest'
import { wantedOf } from '../../agent/config/wanted.ts'
import { parse, problemsOf } from './parsing.ts'

describe('hosted.configMap', () => {
  const asked = (keys: string) => `kubernetes: {}\nhosted: { configMap: ${keys} }`

  it('needs the cluster', () => {
    expect(problemsOf('hosted: { configMap: { veth_mtu: "1440" } }').join('\n')).toContain(
      'hosted.configMap: a ConfigMap is changed by the API server',
    )
  })

  it('has a mark that follows from its keys and values alone', () => {
    const markOf = (keys: string) => wantedOf(parse(asked(keys)), []).configMap?.mark
    expect(markOf('{ a: "1", b: null }')).toMatch(/^[0-9a-f]{12}$/)
    expect(markOf('{ b: null, a: "1" }')).toBe(markOf('{ a: "1", b: null }'))
    expect(markOf('{ a: "2", b: null }')).not.toBe(markOf('{ a: "1", b: null }'))
    expect(wantedOf(parse(asked('{ a: "1" }')), [], ['node']).configMap).toBeNull()
    expect(wantedOf(parse('kubernetes: {}'), []).configMap).toBeNull()
  })

  it.each([
    [
      '{ veth_mtu: 1440 }',
      'hosted.configMap.veth_mtu: expected text, found the number 1440: put it in quotes',
    ],
    ['{}', 'hosted.configMap: names no key'],
    ['{ "a b": "x" }', 'must be a key of a ConfigMap'],
  ])('is not %s', (keys, problem) => {
    expect(problemsOf(asked(keys)).join('\n')).toContain(problem)
  })
})

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
    })
    expect(wantedOf(config, []).kubernetes).toEqual({ cordon: true })
  })

  it.each([
    ['{ kubeconfig: kubelet.conf }', 'kubernetes.kubeconfig: must be an absolute path'],
    ['{ kubeconfig: /a, inCluster: true }', 'set kubeconfig or inCluster: true, not both'],
    ['{ node: Host_1 }', 'kubernetes.node: must be a Node name, or auto'],
    ['{ kubeConfig: /a }', 'kubeconfig'],
  ])('is not %s', (text, problem) => {
    expect(problemsOf(`kubernetes: ${text}`).join('\n')).toContain(problem)
  })
})
