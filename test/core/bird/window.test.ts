import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  ASSUMED_ROLLBACK_MS,
  CALICO_WINDOW_MS,
  END_OF_RIB_MS,
  type WindowState,
  windowBudget,
  windowVerdict,
} from '../../../agent/core/bird/window.ts'
import { anyWorld, baseline, type Policy, simulate, type Tick, type World } from './window-world.ts'

/** Longer than any world: five recoveries that wait their full time. */
const LIMIT_MS = 2_000_000

interface Look {
  tick: Tick
  /** The whole way; a tick that decides is its last. */
  ticks: Tick[]
  world: World
}

/** What must hold of every look at every world. */
const properties: Record<string, (look: Look) => boolean> = {
  'never restarts in the middle of a recovery': ({ tick: { truth, verdict, seen } }) =>
    !(verdict.do === 'roll-back' && seen && truth.running && truth.phase === 'recovering'),

  'never restarts before the peers have read End-of-RIB': ({ tick, ticks }) =>
    !(tick.verdict.do === 'roll-back' && tick.truth.running && tick.state.phase === 'recovered') ||
    tick.at - since(ticks, ({ state }) => state.phase === 'recovered') >= END_OF_RIB_MS,

  'starts the way back while its reserve is left, unless a recovery forbids it': ({ tick, world }) =>
    tick.verdict.do !== 'wait' ||
    tick.state.passedForMs !== null ||
    tick.state.phase === 'recovering' ||
    (tick.state.phase === 'recovered' && tick.state.recoveredForMs < END_OF_RIB_MS) ||
    tick.at < world.budgetMs - world.reserveMs,

  'starts the way back in time wherever no session is Established': ({ tick, world }) =>
    tick.verdict.do !== 'wait' ||
    !tick.seen ||
    !['down', 'starting'].includes(tick.truth.phase) ||
    tick.at < world.budgetMs - world.reserveMs,

  'keeps only what passed without a break': ({ tick, ticks, world }) =>
    tick.verdict.do !== 'succeed' ||
    tick.at - since(ticks, ({ state }) => state.passedForMs !== null) >= world.settleMs,

  'keeps only what runs and has recovered': ({ tick: { state, truth, seen, verdict } }) =>
    verdict.do !== 'succeed' ||
    (state.container === 'running' && (!seen || ['none', 'recovered'].includes(truth.phase))),

  'never keeps what somebody cancelled': ({ tick, world }) =>
    tick.verdict.do !== 'succeed' || tick.at < world.cancelledAt,

  'releases only peers that were dead before': ({ tick: { verdict }, world }) =>
    verdict.do !== 'release' ||
    (verdict.peers.length > 0 && verdict.peers.every((peer) => baseline(world).dead.includes(peer))),

  'gives up at once a container that has exited': ({ tick: { state, verdict } }) =>
    state.container !== 'exited' || verdict.do === 'roll-back',

  'gives up early only for a reason': ({ tick: { at, state, verdict }, world }) =>
    verdict.do !== 'roll-back' ||
    state.container === 'exited' ||
    state.cancelled ||
    state.birdRestarted ||
    at >= world.budgetMs - world.reserveMs,

  'comes to an end': ({ tick: { at, verdict }, world }) =>
    at + world.pollMs <= LIMIT_MS || verdict.do === 'succeed' || verdict.do === 'roll-back',
}

/** The time from which a condition held without a break up to the last tick. */
function since(ticks: Tick[], holds: (tick: Tick) => boolean): number {
  const broken = ticks.findLastIndex((tick) => !holds(tick))
  return ticks[broken + 1]?.at ?? Infinity
}

/** The names of the properties that the policy breaks in this world. */
function brokenBy(policy: Policy, world: World): string[] {
  const ticks = simulate(policy, world, LIMIT_MS)
  return Object.keys(properties).filter((name) =>
    ticks.some((tick) => properties[name]?.({ tick, ticks, world }) === false),
  )
}

const calm: WindowState = {
  sinceGoneMs: 10_000,
  budgetMs: 90_000,
  reserveMs: 20_000,
  settleMs: 10_000,
  phase: 'recovered',
  recoveredForMs: 5_000,
  container: 'running',
  birdRestarted: false,
  peersForgotten: false,
  passedForMs: null,
  deadPeersHolding: [],
  cancelled: false,
}

const wait = { do: 'wait' }
const succeed = { do: 'succeed' }
const rollBack = (reason: string) => ({ do: 'roll-back', reason })
const late = { sinceGoneMs: 70_000 }

describe('windowVerdict', () => {
  it.each<[string, Partial<WindowState>, object]>([
    ['waits for a BIRD that is not up', { phase: 'down' }, wait],
    ['waits for the first session until the reserve', { phase: 'starting', sinceGoneMs: 69_999 }, wait],
    ['goes back at the reserve without a BIRD', { phase: 'down', ...late }, rollBack('out-of-time')],
    ['goes back at the reserve without a session', { phase: 'starting', ...late }, rollBack('out-of-time')],
    ['waits for a recovery past the reserve', { phase: 'recovering', ...late }, wait],
    ['waits for a recovery past the budget', { phase: 'recovering', sinceGoneMs: 200_000 }, wait],
    ['waits for a recovery though cancelled', { phase: 'recovering', cancelled: true }, wait],
    ['waits for a recovery though BIRD fell before', { phase: 'recovering', birdRestarted: true }, wait],
    [
      'releases dead peers',
      { phase: 'recovering', deadPeersHolding: ['a', 'b'] },
      { do: 'release', peers: ['a', 'b'] },
    ],
    [
      'releases dead peers though cancelled',
      { deadPeersHolding: ['a'], cancelled: true },
      { do: 'release', peers: ['a'] },
    ],
    [
      'goes back when it exited, even in a recovery',
      { phase: 'recovering', container: 'exited' },
      rollBack('exited'),
    ],
    ['waits while nobody knows whether it runs', { phase: 'starting', container: 'unknown' }, wait],
    ['keeps what settled', { passedForMs: 10_000 }, succeed],
    ['keeps what settled, even past the budget', { passedForMs: 10_000, sinceGoneMs: 100_000 }, succeed],
    ['waits for what settles past the reserve', { passedForMs: 9_999, ...late }, wait],
    ['keeps a container without BIRD', { phase: 'none', passedForMs: 10_000 }, succeed],
    ['goes back when the health never came', { phase: 'none', ...late }, rollBack('out-of-time')],
    ['goes back when the health never came after a recovery', late, rollBack('out-of-time')],
    ['waits for End-of-RIB to be read', { ...late, recoveredForMs: 999 }, wait],
    ['waits for End-of-RIB to be read though cancelled', { cancelled: true, recoveredForMs: 999 }, wait],
    ['goes back when cancelled', { cancelled: true }, rollBack('cancelled')],
    [
      'goes back when cancelled, settled or not',
      { cancelled: true, passedForMs: 10_000 },
      rollBack('cancelled'),
    ],
    [
      'goes back when cancelled before Established',
      { cancelled: true, phase: 'starting' },
      rollBack('cancelled'),
    ],
    [
      'goes back when BIRD has no peer of before',
      { peersForgotten: true, phase: 'starting' },
      rollBack('peers-forgotten'),
    ],
    ['waits for a recovery of other peers', { peersForgotten: true, phase: 'recovering' }, wait],
    ['goes back when BIRD keeps dying', { birdRestarted: true, phase: 'down' }, rollBack('bird-restarted')],
  ])('%s', (_, change, verdict) => {
    expect(windowVerdict({ ...calm, ...change })).toEqual(verdict)
  })

  it('has every property below in any world', () => {
    fc.assert(
      fc.property(anyWorld, (world) => {
        expect(brokenBy(windowVerdict, world)).toEqual([])
      }),
      { numRuns: 800 },
    )
  }, 60_000)
})

/** Policies that somebody might write; each must be caught by the property it breaks. */
const mutants: [string, Policy, string][] = [
  [
    'rolls back at the deadline whatever the phase',
    (state) =>
      state.phase === 'recovering' && state.sinceGoneMs >= state.budgetMs - state.reserveMs
        ? { do: 'roll-back', reason: 'out-of-time' }
        : windowVerdict(state),
    'never restarts in the middle of a recovery',
  ],
  [
    'obeys a cancel at once',
    (state) => (state.cancelled ? { do: 'roll-back', reason: 'cancelled' } : windowVerdict(state)),
    'never restarts in the middle of a recovery',
  ],
  [
    'rolls back as soon as BIRD says that it recovered',
    (state) => windowVerdict({ ...state, recoveredForMs: END_OF_RIB_MS }),
    'never restarts before the peers have read End-of-RIB',
  ],
  [
    'uses the reserve up',
    (state) => windowVerdict({ ...state, reserveMs: 0 }),
    'starts the way back in time wherever no session is Established',
  ],
  [
    'waits for the health as long as it takes',
    (state) =>
      state.phase === 'recovered' ? windowVerdict({ ...state, sinceGoneMs: 0 }) : windowVerdict(state),
    'starts the way back while its reserve is left, unless a recovery forbids it',
  ],
  [
    'keeps what passed once',
    (state) => windowVerdict({ ...state, settleMs: 0 }),
    'keeps only what passed without a break',
  ],
  [
    'keeps what is Established',
    (state) => (state.phase === 'recovering' && !state.cancelled ? { do: 'succeed' } : windowVerdict(state)),
    'keeps only what runs and has recovered',
  ],
  [
    'does not hear a cancel',
    (state) => windowVerdict({ ...state, cancelled: false }),
    'never keeps what somebody cancelled',
  ],
  [
    'releases every peer that is missing',
    (state) =>
      state.phase === 'recovering' ? { do: 'release', peers: ['Mesh_192_0_2_10'] } : windowVerdict(state),
    'releases only peers that were dead before',
  ],
  [
    'watches an exited container to its deadline',
    (state) => windowVerdict({ ...state, container: 'unknown' }),
    'gives up at once a container that has exited',
  ],
  [
    'gives up half-way',
    (state) => windowVerdict({ ...state, sinceGoneMs: state.sinceGoneMs * 2 }),
    'gives up early only for a reason',
  ],
  ['never decides', () => ({ do: 'wait' }), 'comes to an end'],
]

describe('the property checker catches a policy that', () => {
  it.each(mutants)(
    '%s',
    (_, mutant, property) => {
      const found = fc.check(
        fc.property(anyWorld, (world) => !brokenBy(mutant, world).includes(property)),
        { numRuns: 2_000, endOnFailure: true },
      )
      expect(found.failed).toBe(true)
    },
    60_000,
  )
})

describe('windowBudget', () => {
  it.each([
    // announced, configured, budget, reserve
    [120_000, 90_000, CALICO_WINDOW_MS, ASSUMED_ROLLBACK_MS],
    [120_000, 300_000, CALICO_WINDOW_MS, ASSUMED_ROLLBACK_MS],
    [60_000, 90_000, 60_000, ASSUMED_ROLLBACK_MS],
    [120_000, 30_000, 30_000, 10_000],
    [Infinity, 45_000, 45_000, 15_000],
    [1_000, 90_000, 1_000, 333],
    [0, 90_000, 0, 0],
  ])(
    'of %d ms announced and %d ms configured is %d ms with %d ms in reserve',
    (announced, configured, budgetMs, reserveMs) => {
      expect(windowBudget(announced, configured)).toEqual({ budgetMs, reserveMs })
    },
  )
})
