import { describe, expect, it } from 'vitest'
import { diallingNeighbors, diallingPatience, neighborsToAdmit } from '../../../agent/core/bird/dialling.ts'
import { bgpNeighbors } from '../../../agent/core/bird/neighbors.ts'
import { deadSession, session, upView } from '../../fakes/bird.ts'

const config = [2, 3, 4, 9]
  .map((host) => {
    const waits = host === 3 ? 'passive on;' : ''
    return `protocol bgp Mesh_192_0_2_${host} { neighbor 192.0.2.${host} as 1; ${waits} }`
  })
  .join('\n')

describe('diallingNeighbors', () => {
  it('are those that are up, in the config, and not waited for', () => {
    const view = upView('old', [session(2), session(3), session(5), deadSession(9)])
    expect(diallingNeighbors({ view, neighbors: bgpNeighbors(config), listenPort: 1790 })).toEqual([
      { name: 'Mesh_192_0_2_2', address: '192.0.2.2', listenPort: 1790 },
    ])
  })
})

describe('toBeLetIn', () => {
  const neighbors = [2, 3].map((host) => ({
    name: `Mesh_192_0_2_${host}`,
    address: `192.0.2.${host}`,
    listenPort: 179,
  }))
  const connecting = (host: number, info = 'Connect') => ({ ...deadSession(host), info })
  const at = (upForMs: number) => ({ upForMs, patienceMs: 20_000 })
  const letIn = (...args: Parameters<typeof neighborsToAdmit>) =>
    neighborsToAdmit(...args).map(({ address }) => address)

  it('is nobody while BIRD still dials', () => {
    expect(letIn(neighbors, upView('new', [session(2), connecting(3)]), at(19_999))).toEqual([])
  })

  it('is nobody while BIRD is not up: who dials it as it comes collides with it', () => {
    expect(letIn(neighbors, { state: 'down' }, at(20_000))).toEqual([])
  })

  it('are those whose sessions did not come in time', () => {
    expect(letIn(neighbors, upView('new', [session(2), connecting(3)]), at(20_000))).toEqual(['192.0.2.3'])
    expect(letIn(neighbors, { state: 'silent' }, at(20_000))).toEqual(['192.0.2.2', '192.0.2.3'])
  })

  it.each([
    // the new BIRD waits for it: from v3.4 on it does
    ['Passive', ['192.0.2.3']],
    ['Active        Socket: Connection refused', ['192.0.2.3']],
    ['Connect       Socket: No route to host', ['192.0.2.3']],
    ['Active', []],
    ['Idle          BGP Error: Connection collision resolution', []],
    ['Active        Socket: Connection reset by peer', []],
  ])('are those that must come by themselves, by BIRD’s words: %s', (info, expected) => {
    expect(letIn(neighbors, upView('new', [connecting(2), connecting(3, info)]), at(0))).toEqual(expected)
  })
})

describe('diallingPatience', () => {
  it.each([
    [90_000, 20_000, 20_000],
    [50_000, 16_666, 16_667],
    [30_000, 10_000, 10_000],
  ])('of %i ms, %i of them in reserve, is %i ms', (budgetMs, reserveMs, expected) => {
    expect(diallingPatience({ budgetMs, reserveMs })).toBe(expected)
  })
})
