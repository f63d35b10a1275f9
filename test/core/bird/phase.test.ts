import { describe, expect, it } from 'vitest'
import { type BirdBaseline, birdBaseline, gatedDaemons } from '../../../agent/core/bird/baseline.ts'
import { combinedPhase, type DaemonStanding, daemonStanding } from '../../../agent/core/bird/phase.ts'
import type { BirdView, Session } from '../../../agent/core/bird/view.ts'
import { deadSession, session, upView } from '../../fakes/bird.ts'

const disabled = session(8, { established: false, disabled: true, info: 'Down', imported: 0 })
const connecting = (host: number): Session =>
  session(host, { established: false, info: 'Connect', imported: 0 })
const peer = (host: number): string => `Mesh_192_0_2_${host}`

const baseline = birdBaseline(
  upView('old', [session(2, { imported: 3 }), session(3), deadSession(9), disabled]),
)
const was = (host: number, imported = 1) => ({ name: peer(host), neighbor: `192.0.2.${host}`, imported })
const restarting = session(7, {
  established: false,
  info: 'Active',
  restarting: { secondsLeft: 116 },
})
const alone: BirdBaseline = { lastReboot: 'old', established: [], dead: [] }

describe('birdBaseline', () => {
  it('holds what was Established, and who was dead without being disabled', () => {
    expect(baseline).toEqual({
      lastReboot: 'old',
      instance: 'socket of old',
      established: [
        { name: peer(2), neighbor: '192.0.2.2', imported: 3 },
        { name: peer(3), neighbor: '192.0.2.3', imported: 1 },
      ],
      dead: [peer(9)],
    })
  })
})

describe('birdBaseline of a neighbor in its own graceful restart', () => {
  it('holds it neither for Established nor for dead: it is not waited for, and never released', () => {
    const { established, dead } = birdBaseline(upView('old', [session(2), restarting]))
    expect(established.map(({ name }) => name)).toEqual([peer(2)])
    expect(dead).toEqual([])
  })
})

describe('daemonsThatCount', () => {
  const of = (family: 4 | 6, ...sessions: Session[]) => ({
    endpoint: { family, socket: `bird${family}.ctl`, via: 'host' as const },
    baseline: birdBaseline(upView('old', sessions)),
  })

  it.each([
    ['both where both have sessions', [of(4, session(2)), of(6, session(3))], [4, 6]],
    ['no bird6 without peers', [of(4, session(2)), of(6)], [4]],
    ['no bird6 whose peers are dead', [of(4, session(2)), of(6, deadSession(9))], [4]],
    ['the IPv6 one where it alone has sessions', [of(4), of(6, session(2))], [6]],
    ['the first one where none has a session', [of(4), of(6)], [4]],
    ['none of none', [], []],
  ])('are %s', (_, daemons, families) => {
    expect(gatedDaemons(daemons).map(({ endpoint }) => endpoint.family)).toEqual(families)
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
      { phase: 'recovered', unmet: [], missing: [], fewer: [] },
    ],
    [
      'it recovered and one is missing',
      upView('new', [session(2, { imported: 3 }), connecting(3)]),
      {
        phase: 'recovered',
        unmet: [`session ${peer(3)} is not Established`],
        missing: [was(3)],
      },
    ],
    [
      'it recovered and one is gone from its config',
      upView('new', [session(2, { imported: 3 })]),
      { phase: 'recovered', missing: [was(3)] },
    ],
    [
      'it recovered with fewer routes',
      upView('new', [session(2, { imported: 2 }), session(3)]),
      {
        phase: 'recovered',
        unmet: [],
        missing: [],
        fewer: [{ name: peer(2), before: 3, now: 2 }],
      },
    ],
    [
      'it recovered with a session that has no routes any more',
      upView('new', [session(2, { imported: 0 }), session(3)]),
      { phase: 'recovered', unmet: [`session ${peer(2)} has none of its 3 routes`], bare: [was(2, 3)] },
    ],
    [
      'it recovers with a session that has no routes yet',
      upView('new', [session(2, { imported: 0 }), session(3)], true),
      { phase: 'recovering', unmet: ['graceful-restart recovery in progress'], bare: [] },
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
        missing: [was(2, 3), was(3)],
        bare: [],
        fewer: [],
        deadPeersHolding: [],
        released: [],
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
    ['a live peer has fewer routes', [session(2), session(3), deadSession(9)], true, [peer(9)]],
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
