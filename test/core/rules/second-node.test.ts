import { describe, expect, it } from 'vitest'
import { RESTORED_LABEL, RUN_LABEL } from '../../../agent/core/docker/container-spec.ts'
import { otherNodes, type RunningContainer } from '../../../agent/core/docker/second-node.ts'
import { preflight, preflightWithoutImage } from '../../../agent/core/preflight.ts'
import { container, node, observed, wanted } from '../observed.ts'

const birdDirectory = { target: '/var/run/calico', writable: true }

function running(changes: Partial<RunningContainer>): RunningContainer {
  return {
    id: 'd'.repeat(64),
    name: 'other',
    image: 'quay.io/calico/node:v2.6.5',
    command: 'start_runit',
    labels: {},
    networkMode: 'host',
    mounts: [birdDirectory],
    ...changes,
  }
}

describe('otherNodes', () => {
  it.each<[string, boolean, Partial<RunningContainer>]>([
    ['calico/node under another name', true, {}],
    ['one from an image of the own registry, by its program', true, { image: 'registry/base:1' }],
    ['one with all of /run', true, { mounts: [{ target: '/run', writable: true }] }],
    ['one that a run made', true, { labels: { [RUN_LABEL]: 'r1' }, image: 'x', command: '', mounts: [] }],
    ['controllers that a run made', false, { labels: { [RUN_LABEL]: 'r1-controllers' } }],
    ['an exporter that reads the socket', false, { mounts: [{ ...birdDirectory, writable: false }] }],
    ['another program with the directory', false, { image: 'bird-exporter:1', command: '/exporter' }],
    ['a shell of it that asks BIRD', false, { command: 'birdcl -s /var/run/calico/bird.ctl show route' }],
    [
      'this agent in a container',
      false,
      { image: 'agent:1', command: 'agent upgrade --node registry.example/calico-node:v3.1.3' },
    ],
    ['a shell that starts it', true, { image: 'base:1', command: "sh -c 'exec /sbin/start_runit'" }],
    ['one made again in the place of a known one', false, { labels: { [RESTORED_LABEL]: 'known' } }],
    ['one made again in the place of another', true, { labels: { [RESTORED_LABEL]: 'other' } }],
    ['one in a network of its own', false, { networkMode: 'bridge' }],
    ['one without the directory', false, { mounts: [] }],
    ['the one that is known', false, { id: 'known' }],
  ])('%s: %s', (_, isOther, changes) => {
    expect(otherNodes([running(changes)], ['known'])).toHaveLength(isOther ? 1 : 0)
  })
})

describe('second-node', () => {
  const others = [{ id: 'd'.repeat(64), name: 'calico_1', image: 'calico/node:v2.6.5' }]
  const codes = (problems: { code: string }[]) => problems.map(({ code }) => code)
  const beside = observed({ otherNodes: others })

  it('stands against everything that moves', () => {
    expect(codes(preflight(beside, wanted))).toContain('second-node')
    expect(codes(preflightWithoutImage(beside, wanted, 'node'))).toContain('second-node')
    const cniOnly = { ...beside, image: null }
    expect(codes(preflight(cniOnly, wanted))).toContain('second-node')
    expect(codes(preflight(observed(), wanted))).not.toContain('second-node')
  })

  it('leaves the word to not-calico-node where the config names another container', () => {
    const named = node({ container: container({ Config: { Image: 'nginx:1' } }) })
    const wrong = { ...beside, node: named }
    expect(codes(preflight(wrong, wanted))).toContain('not-calico-node')
    expect(codes(preflight(wrong, wanted))).not.toContain('second-node')
  })

  it('judges an image of the own registry that works as calico/node does', () => {
    const own = container({ Config: { Image: 'registry/base:1' } })
    const bind = { Type: 'bind', Source: '/run', Destination: '/run', RW: true }
    const renamed = { ...beside, node: node({ container: { ...own, Mounts: [bind] } }) }
    expect(codes(preflight(renamed, wanted))).toContain('second-node')
  })

  it('cannot be allowed, and no fix starts one beside it', () => {
    const stopped = node({ container: container({ Running: false }) })
    const problems = preflight({ ...beside, node: stopped }, { ...wanted, allow: ['second-node'] })
    const found = problems.filter(({ code }) => ['second-node', 'node-not-running'].includes(code))
    expect(found.map(({ severity }) => severity)).toEqual(['error', 'error'])
    for (const { fix } of found) expect(fix).not.toContain('docker start')
  })
})
