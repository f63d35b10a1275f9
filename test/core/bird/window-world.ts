import fc from 'fast-check'
import {
  type BirdBaseline,
  birdBaseline,
  combinedPhase,
  type DaemonStanding,
  daemonStanding,
} from '../../../agent/core/bird/phase.ts'
import type { BirdView } from '../../../agent/core/bird/view.ts'
import type { BirdPhase, Verdict, WindowState } from '../../../agent/core/bird/window.ts'
import { deadSession, session, upView } from '../../fakes/bird.ts'

export type Policy = (state: WindowState) => Verdict

/** One BIRD of the new container, from its start to its fall; times in ms since that start. */
interface Life {
  upAfter: number
  /** From then on its live peers are Established. */
  sessionsAfter: number
  /** From then on their End-of-RIBs are in: only dead peers still hold the recovery. */
  endOfRibAfter: number
  /** It dies then and the next life begins; the last life's never comes. */
  diesAfter: number
}

type Interval = readonly [from: number, to: number]

/** All that happens to a host while a new container is on trial; times in ms since the old BIRD was gone. */
export interface World {
  pollMs: number
  budgetMs: number
  reserveMs: number
  settleMs: number
  backend: 'bird' | 'none'
  livePeers: number
  deadPeers: number
  lives: Life[]
  exitsAt: number
  cancelledAt: number
  /** A health check fails. */
  sick: Interval[]
  /** BIRD accepts and does not answer. */
  silent: Interval[]
  /** The Engine does not answer. */
  engineAway: Interval[]
}

/** BIRD's `graceful restart wait`: then a recovery ends whoever is missing. */
const RECOVERY_WAIT_MS = 240_000
/** As in the gate: BIRD may need several starts before its first config is rendered. */
const TOLERATED_FALLS = 2

export interface Tick {
  at: number
  /** What is so, whether or not it is seen. */
  truth: { running: boolean; phase: BirdPhase }
  state: WindowState
  /** BIRD answered at this look, or is gone. */
  seen: boolean
  verdict: Verdict
}

/** Polls the world as the gate does, until the policy decides or `limitMs` is over. */
export function simulate(policy: Policy, world: World, limitMs: number): Tick[] {
  const watcher = new Watcher(world)
  const ticks: Tick[] = []
  for (let at = 0; at <= limitMs; at += world.pollMs) {
    const tick = watcher.look(policy, at)
    ticks.push(tick)
    if (tick.verdict.do === 'succeed' || tick.verdict.do === 'roll-back') break
  }
  return ticks
}

export const baseline = (world: World): BirdBaseline =>
  birdBaseline(
    upView('old', [
      ...times(world.livePeers, (i) => session(10 + i)),
      ...times(world.deadPeers, (i) => deadSession(100 + i)),
    ]),
  )

class Watcher {
  readonly #world: World
  readonly #baseline: BirdBaseline
  readonly #released = new Set<string>()
  #previous: DaemonStanding['phase'] = 'down'
  #falls = 0
  #hadSession = false
  #recoveredAt: number | null = null
  #passedAt: number | null = null

  constructor(world: World) {
    this.#world = world
    this.#baseline = baseline(world)
  }

  look(policy: Policy, at: number): Tick {
    const { budgetMs, reserveMs, settleMs, backend } = this.#world
    const running = at < this.#world.exitsAt
    const view = this.#view(at)
    const seen = !within(this.#world.silent, at)
    const standing = daemonStanding(seen ? view : { state: 'silent' }, this.#baseline, this.#previous)
    this.#remember(standing)
    const phase = backend === 'none' ? 'none' : combinedPhase([standing.phase])
    const met = backend === 'none' || standing.unmet.length === 0
    const settled = phase === 'none' || phase === 'recovered'
    const container = within(this.#world.engineAway, at) ? 'unknown' : running ? 'running' : 'exited'
    const passed = settled && met && !within(this.#world.sick, at) && container === 'running'
    this.#recoveredAt = phase === 'recovered' ? (this.#recoveredAt ?? at) : null
    this.#passedAt = passed ? (this.#passedAt ?? at) : null
    const state: WindowState = {
      ...{ sinceGoneMs: at, budgetMs, reserveMs, settleMs, phase, container },
      recoveredForMs: this.#recoveredAt === null ? 0 : at - this.#recoveredAt,
      birdRestarted: backend === 'bird' && this.#falls > (this.#hadSession ? 0 : TOLERATED_FALLS),
      peersForgotten: standing.peersForgotten,
      passedForMs: this.#passedAt === null ? null : at - this.#passedAt,
      deadPeersHolding: backend === 'none' ? [] : standing.deadPeersHolding,
      cancelled: at >= this.#world.cancelledAt,
    }
    const verdict = policy(state)
    if (verdict.do === 'release')
      for (const peer of verdict.peers) this.#released.add(`${this.#lifeAt(at).index} ${peer}`)
    return { at, truth: { running, phase: this.#truePhase(view) }, state, seen, verdict }
  }

  #remember({ phase }: DaemonStanding): void {
    if (phase === 'down' && this.#previous !== 'down') this.#falls += 1
    this.#hadSession ||= phase === 'recovering' || phase === 'recovered'
    this.#previous = phase
  }

  #truePhase(view: BirdView): BirdPhase {
    return this.#world.backend === 'none' ? 'none' : daemonStanding(view, this.#baseline, 'down').phase
  }

  /** The life that BIRD is in, and its age. */
  #lifeAt(at: number): { index: number; age: number } {
    let age = at
    const index = this.#world.lives.findIndex(
      ({ diesAfter }) => age < diesAfter || ((age -= diesAfter), false),
    )
    return { index, age }
  }

  /** What BIRD would answer. */
  #view(at: number): BirdView {
    const { index, age } = this.#lifeAt(at)
    const life = this.#world.lives[index]
    if (at >= this.#world.exitsAt || life === undefined || age < life.upAfter) return { state: 'down' }
    // a new BIRD knows nothing of what was disabled in the one before
    const disabled = (name: string): boolean => this.#released.has(`${index} ${name}`)
    const held = this.#baseline.dead.some((name) => !disabled(name))
    const inTime = age < life.upAfter + RECOVERY_WAIT_MS
    const recovering = inTime && (held || age < life.endOfRibAfter)
    const live = times(this.#world.livePeers, (i) =>
      session(10 + i, age < life.sessionsAfter ? { established: false, info: 'Connect', imported: 0 } : {}),
    )
    const dead = times(this.#world.deadPeers, (i) => deadSession(100 + i))
    const sessions = [...live, ...dead.map((peer) => ({ ...peer, disabled: disabled(peer.name) }))]
    return upView(`life-${index}`, sessions, recovering)
  }
}

function times<T>(count: number, make: (i: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => make(i))
}

function within(intervals: Interval[], at: number): boolean {
  return intervals.some(([from, to]) => at >= from && at < to)
}

const NEVER = 10_000_000

const duration = (max: number): fc.Arbitrary<number> =>
  fc.oneof(fc.integer({ min: 0, max: Math.ceil(max / 20) }), fc.integer({ min: 0, max }))

const intervals = fc.array(
  fc.tuple(duration(120_000), duration(20_000)).map(([from, ms]): Interval => [from, from + ms]),
  { maxLength: 3 },
)

/** Falls and comebacks at every phase; a life may also hang before its sessions, or in its recovery. */
const life = fc
  .record({
    upAfter: duration(4_000),
    sessionsIn: fc.oneof(duration(30_000), duration(100_000), fc.constant(NEVER)),
    endOfRibIn: fc.oneof(duration(5_000), duration(120_000)),
    fallsIn: fc.oneof(duration(10_000), duration(100_000), fc.constant(NEVER)),
  })
  .map(({ upAfter, sessionsIn, endOfRibIn, fallsIn }): Life => {
    const sessionsAfter = upAfter + sessionsIn
    return { upAfter, sessionsAfter, endOfRibAfter: sessionsAfter + endOfRibIn, diesAfter: upAfter + fallsIn }
  })

export const anyWorld: fc.Arbitrary<World> = fc
  .record({
    pollMs: fc.integer({ min: 100, max: 1_000 }),
    budgetMs: fc.integer({ min: 3_000, max: 90_000 }),
    reserveShare: fc.double({ min: 0.05, max: 0.5, noNaN: true }),
    settleMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 15_000 })),
    backend: fc.constantFrom('bird', 'bird', 'bird', 'none'),
    livePeers: fc.integer({ min: 0, max: 3 }),
    deadPeers: fc.constantFrom(0, 0, 1, 2),
    lives: fc.array(life, { minLength: 1, maxLength: 5 }),
    exitsAt: fc.oneof(fc.constant(NEVER), fc.constant(NEVER), duration(120_000)),
    cancelledAt: fc.oneof(fc.constant(NEVER), fc.constant(NEVER), duration(120_000)),
    sick: intervals,
    silent: intervals,
    engineAway: intervals,
  })
  .map(
    ({ reserveShare, ...world }): World => ({
      ...world,
      reserveMs: Math.floor(world.budgetMs * reserveShare),
      lives: world.lives.map((one, i) => (i === world.lives.length - 1 ? { ...one, diesAfter: NEVER } : one)),
    }),
  )
