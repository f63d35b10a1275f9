import { describe, expect, it } from 'vitest'
import { bgpNeighbors } from '../../../agent/core/bird/neighbors.ts'
import { preflight } from '../../../agent/core/preflight.ts'
import { deadSession, session, upView } from '../../fakes/bird.ts'
import { container, node, observed, wanted } from '../observed.ts'

const endpoint = { family: 4, socket: '/var/run/calico/bird.ctl', via: 'host' } as const
const view = upView('old', [session(2), session(3), session(8, { name: 'Node_192_0_2_8' }), deadSession(9)])

const mesh = (host: number, rest = ''): string =>
  `protocol bgp Mesh_192_0_2_${host} { neighbor 192.0.2.${host} as 64512; ${rest} }\n`
const reflector = 'protocol bgp Node_192_0_2_8 { neighbor 192.0.2.8 as 64512; }'

function told(birdCfg: string, tag = 'v2.6.5'): string[] {
  const daemon = { endpoint, view, neighbors: bgpNeighbors(birdCfg), listenPort: 179, announcedMs: 120_000 }
  const running = container({ Config: { Image: `calico/node:${tag}` } })
  return preflight(observed({ node: node({ daemons: [daemon], container: running }) }), {
    ...wanted,
    allow: ['downgrade'],
  })
    .filter(({ code }) => code === 'both-dial')
    .map(({ severity, message }) => `${severity}: ${message.replace(/ and this host.*/, '')}`)
}

describe('both-dial', () => {
  it.each<[string, string, string[]]>([
    ['a mesh as before v3.4', mesh(2) + mesh(3), ['warning: Mesh_192_0_2_2, Mesh_192_0_2_3']],
    ['peers that are down', mesh(9), []],
    ['a mesh in which this host waits', mesh(2, 'passive on;') + mesh(3, 'passive;'), []],
    ['a mesh that goes one way', mesh(2) + mesh(3, 'passive on;'), []],
    [
      'a route reflector beside it',
      mesh(2) + mesh(3, 'passive on;') + reflector,
      ['warning: Node_192_0_2_8'],
    ],
    ['a config that cannot be read', '', []],
  ])('%s', (_, birdCfg, expected) => {
    expect(told(birdCfg)).toEqual(expected)
  })

  it('takes a mesh of v3.4 on for one that goes one way, where the others wait for this host', () => {
    expect(told(mesh(2) + mesh(3), 'v3.4.0')).toEqual([])
  })
})
