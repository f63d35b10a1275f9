import { describe, expect, it } from 'vitest'
import {
  type BirdBaseline,
  birdBaseline,
  combinedPhase,
  type DaemonStanding,
  daemonStanding,
} from '../../../agent/core/bird/phase.ts'
import type { BirdView, Session } from '../../../agent/core/bird/view.ts'
import { deadSession, session, upView } from '../../fakes/bird.ts'

const disabled = session(8, { established: false, disabled: true, info: 'Down', imported: 0 })
const connecting = (host: number): Session =>
  session(host, { established: false, info: 'Connect', imported: 0 })
const peer = (host: number): string => `Mesh_192_0_2_${host}`

const baseline = birdBaseline(
  upView('old', [session(2, { imported: 3 }), session(3), deadSession(9), disabled]),
)
const alone: BirdBaseline = { lastReboot: 'old', established: [], dead: [] }

describe('birdBaseline', () => {
  it('holds what was Established, and who was dead without being disabled', () => {
    expect(baseline).toEqual({
      lastReboot: 'old',
      established: [
        { name: peer(2), neighbor: '192.0.2.2', imported: 3 },
        { name: peer(3), neighbor: '192.0.2.3', imported: 1 },
      ],
      dead: [peer(9)],
    })
  })
})

describe('daemonStanding', () => {
  const back = [session(2, { imported: 3 }), session(3)]

  it.each<[string, BirdView, Partial<DaemonStanding>]>([
    ['nothing listens', { state: 'down' }, { phase: 'down', unmet: ['BIRD is not up'] }],
    ['the old BIRD still answers', upView('old', back), { phase: 'down', unmet: ['BIRD is not up'] }],
    [
      'it is up and no session is back',
      upView('new', [connecting(2), connecting(3)], true),
      { phase: 'starting' },
    ],
    ['it does not recover and no session is back', upView('new', [connecting(2)]), { phase: 'starting' }],
    [
      'its config has no peer of before',
      upView('new', [deadSession(9)]),
      {
        phase: 'starting',
        peersForgotten: true,
        unmet: [`session ${peer(2)} is not configured`, `session ${peer(3)} is not configured`],
      },
    ],
    ['one session is back', upView('new', [session(2), connecting(3)], true), { phase: 'recovering' }],
    [
      'a session is back that was not there before',
      upView('new', [session(7), connecting(2)], true),
      { phase: 'recovering' },
    ],
    [
      'all are back and it recovers',
      upView('new', back, true),
      { phase: 'recovering', unmet: ['graceful-restart recovery in progress'] },
    ],
    [
      'all are back and it recovered',
      upView('new', back),
      { phase: 'recovered', unmet: [], missingNeighbors: [] },
    ],
    [
      'it recovered and one is missing',
      upView('new', [session(2, { imported: 3 }), connecting(3)]),
      {
        phase: 'recovered',
        unmet: [`session ${peer(3)} is not Established`],
        missingNeighbors: ['192.0.2.3'],
      },
    ],
    [
      'it recovered and one is gone from its config',
      upView('new', [session(2, { imported: 3 })]),
      { phase: 'recovered', missingNeighbors: ['192.0.2.3'] },
    ],
    [
      'it recovered with fewer routes',
      upView('new', [session(2, { imported: 2 }), session(3)]),
      {
        phase: 'recovered',
        unmet: [`session ${peer(2)} has fewer than its 3 imported routes`],
        missingNeighbors: [],
      },
    ],
    [
      'it recovered with more routes',
      upView('new', [session(2, { imported: 9 }), session(3)]),
      { phase: 'recovered', unmet: [] },
    ],
  ])('when %s', (_, view, standing) => {
    expect(daemonStanding(view, baseline, 'down')).toMatchObject(standing)
  })

  it.each<[string, BirdView, DaemonStanding['phase']]>([
    ['recovers', upView('new', [connecting(2)], true), 'starting'],
    ['recovered', upView('new', [connecting(2)]), 'recovered'],
  ])('needs no session where there was none: it %s', (_, view, phase) => {
    expect(daemonStanding(view, alone, 'down').phase).toBe(phase)
  })

  it.each(['down', 'starting', 'recovering', 'recovered'] as const)(
    'a BIRD that falls silent stays %s',
    (previous) => {
      expect(daemonStanding({ state: 'silent' }, baseline, previous)).toEqual({
        phase: previous,
        unmet: ['BIRD does not answer'],
        missingNeighbors: ['192.0.2.2', '192.0.2.3'],
        deadPeersHolding: [],
        peersForgotten: false,
      })
    },
  )

  it.each<[string, Session[], boolean, string[]]>([
    ['it alone holds the recovery', [...back, deadSession(9)], true, [peer(9)]],
    ['it is released already', [...back, { ...deadSession(9), disabled: true }], true, []],
    ['it came back', [...back, session(9)], true, []],
    [
      'a live peer is missing as well',
      [session(2, { imported: 3 }), connecting(3), deadSession(9)],
      true,
      [],
    ],
    ['routes are missing as well', [session(2), session(3), deadSession(9)], true, []],
    ['nothing recovers', [...back, deadSession(9)], false, []],
    ['it was alive before', [...back, deadSession(3)], true, []],
    ['it was not there before', [...back, deadSession(10)], true, []],
    ['the operator disabled it before', [...back, disabled], true, []],
  ])('a dead peer is to be released or not: %s', (_, sessions, recovering, holding) => {
    expect(daemonStanding(upView('new', sessions, recovering), baseline, 'down').deadPeersHolding).toEqual(
      holding,
    )
  })
})

describe('combinedPhase', () => {
  it.each<[DaemonStanding['phase'][], string]>([
    [[], 'none'],
    [['down'], 'down'],
    [['starting'], 'starting'],
    [['recovering'], 'recovering'],
    [['recovered'], 'recovered'],
    [['recovered', 'recovered'], 'recovered'],
    [['recovered', 'recovering'], 'recovering'],
    [['recovering', 'down'], 'recovering'],
    [['recovered', 'down'], 'down'],
    [['starting', 'down'], 'down'],
    [['recovered', 'starting'], 'starting'],
  ])('of %j is %s', (phases, phase) => {
    expect(combinedPhase(phases)).toBe(phase)
    expect(combinedPhase(phases.toReversed())).toBe(phase)
  })
})
