import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  ASSUMED_ROLLBACK_MS,
  CALICO_WINDOW_MS,
  type WindowState,
  windowBudget,
  windowVerdict,
} from '../../../agent/core/bird/window.ts'
import { anyWorld } from './any-world.ts'
import { brokenBy } from './window-properties.ts'
import type { Policy } from './window-world.ts'

/** More of them take minutes: WINDOW_TIMELINES=100000. */
const TIMELINES = Number(process.env['WINDOW_TIMELINES'] ?? 800)

const calm: WindowState = {
  sinceGoneMs: 10_000,
  budgetMs: 90_000,
  reserveMs: 20_000,
  settleMs: 10_000,
  phase: 'recovered',
  endOfRibPending: false,
  container: 'running',
  birdRestarted: false,
  felixRestarted: false,
  peersForgotten: false,
  recoveredForMs: null,
  passedForMs: null,
  failingForMs: null,
  deadPeersHolding: [],
  cancelled: false,
}

const wait = { do: 'wait' }
const succeed = { do: 'succeed' }
const rollBack = (reason: string) => ({ do: 'roll-back', reason })
const late = { sinceGoneMs: 70_000 }
/** Recovered in time, and then not as it must be. */
const unwell = { sinceGoneMs: 200_000, recoveredForMs: 195_000, failingForMs: 10_000 }

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
    ['goes back when the recovery ended without every session', late, rollBack('out-of-time')],
    [
      'waits when a session is lost after the recovery',
      { ...late, recoveredForMs: 60_000, failingForMs: 500 },
      wait,
    ],
    [
      'waits past the budget for a health that failed for a moment',
      { ...unwell, failingForMs: 59_999 },
      wait,
    ],
    ['goes back when the failure lasts', { ...unwell, failingForMs: 60_000 }, rollBack('unhealthy')],
    [
      'goes back when it comes and goes for minutes',
      { ...unwell, recoveredForMs: 310_000, failingForMs: 0 },
      rollBack('unhealthy'),
    ],
    [
      'keeps what settles after all that',
      { ...unwell, recoveredForMs: 310_000, passedForMs: 10_000 },
      succeed,
    ],
    ['goes back when Felix keeps dying', { ...unwell, felixRestarted: true }, rollBack('felix-restarted')],
    ['waits for End-of-RIB to be read', { ...late, endOfRibPending: true }, wait],
    ['waits for End-of-RIB to be read though cancelled', { cancelled: true, endOfRibPending: true }, wait],
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

  it(
    'has every property below in any world',
    () => {
      fc.assert(
        fc.property(anyWorld, (world) => {
          expect(brokenBy(windowVerdict, world)).toEqual([])
        }),
        { numRuns: TIMELINES },
      )
    },
    60_000 + 20 * TIMELINES,
  )
})

/** Policies that somebody might write; each must be caught by the property it breaks. */
const mutants: [string, Policy, string][] = [
  [
    'rolls back at the deadline whatever the phase',
    (state) =>
      state.phase === 'recovering' && state.sinceGoneMs >= state.budgetMs - state.reserveMs
        ? { do: 'roll-back', reason: 'out-of-time' }
        : windowVerdict(state),
    'never restarts in the middle of a recovery of any daemon',
  ],
  [
    'obeys a cancel at once',
    (state) => (state.cancelled ? { do: 'roll-back', reason: 'cancelled' } : windowVerdict(state)),
    'never restarts in the middle of a recovery of any daemon',
  ],
  [
    'rolls back as soon as BIRD says that it recovered',
    (state) => windowVerdict({ ...state, endOfRibPending: false }),
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
      windowVerdict({
        ...state,
        failingForMs: null,
        recoveredForMs: state.recoveredForMs === null ? null : 0,
      }),
    'decides within the budget and a stated time after the last recovery',
  ],
  [
    'waits for the sessions as long as it takes',
    (state) =>
      state.phase === 'recovered' ? windowVerdict({ ...state, sinceGoneMs: 0 }) : windowVerdict(state),
    'starts the way back while its reserve is left, unless a recovery forbids it',
  ],
  [
    'holds a recovered node to the budget',
    (state) =>
      state.recoveredForMs !== null &&
      state.passedForMs === null &&
      state.sinceGoneMs >= state.budgetMs - state.reserveMs
        ? windowVerdict({ ...state, recoveredForMs: null })
        : windowVerdict(state),
    'gives up what recovered only for a failure that lasts',
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
  [
    'keeps a BIRD that died and came back',
    (state) => windowVerdict({ ...state, birdRestarted: false }),
    'keeps no BIRD that died with a session up, however short it was away',
  ],
  ['never decides', () => ({ do: 'wait' }), 'comes to an end'],
]

describe('the property checker catches a policy that', () => {
  it.each(mutants)(
    '%s',
    (_, mutant, property) => {
      const found = fc.check(
        fc.property(anyWorld, (world) => !brokenBy(mutant, world).includes(property)),
        { numRuns: 30_000, endOnFailure: true },
      )
      expect(found.failed).toBe(true)
    },
    240_000,
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
