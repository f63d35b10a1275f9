import { type BirdBaseline, birdBaseline } from '../../../agent/core/bird/baseline.ts'
import { needsRoutes } from '../../../agent/core/bird/daemon.ts'
import { combinedPhase, type DaemonStanding, daemonStanding } from '../../../agent/core/bird/phase.ts'
import {
  type Readings,
  type TrialState,
  trialAfter,
  trialAtStart,
  windowState,
} from '../../../agent/core/bird/trial.ts'
import type { BirdView, SessionRow } from '../../../agent/core/bird/view.ts'
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

export type Interval = readonly [from: number, to: number]

/** One BIRD daemon: of IPv4 or of IPv6. Times in ms since the old one was gone. */
export interface Daemon {
  livePeers: number
  deadPeers: number
  lives: Life[]
  /** BIRD accepts and does not answer. */
  silent: Interval[]
  /** The first live peer's session is down: collisions of both ends that dial, a peer that restarts itself. */
  flaps: Interval[]
  /** From then on the first live peer has so many of its three routes. */
  routes: { after: number; left: number }
}

/** All that happens to a host while a new container is on trial; times in ms since the old BIRD was gone. */
export interface World {
  pollMs: number
  budgetMs: number
  reserveMs: number
  settleMs: number
  /** None where the backend has no BIRD. */
  daemons: Daemon[]
  exitsAt: number
  cancelledAt: number
  /** A health check fails. */
  sick: Interval[]
  /** A health check does not answer. */
  hangs: Interval[]
  /** The Engine does not answer. */
  engineAway: Interval[]
}

/** BIRD's `graceful restart wait`: then a recovery ends whoever is missing. */
const RECOVERY_WAIT_MS = 240_000
const ROUTES = 3

export interface Tick {
  at: number
  /** What is so, whether or not it is seen. */
  truth: { running: boolean; phase: BirdPhase; standings: DaemonStanding[] }
  state: WindowState
  /** Every BIRD answered at this look, or is gone. */
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

export function baselines({ daemons }: World): BirdBaseline[] {
  return daemons.map(({ livePeers, deadPeers }) =>
    birdBaseline(
      upView('old', [
        ...times(livePeers, (i) => session(10 + i, { imported: ROUTES })),
        ...times(deadPeers, (i) => deadSession(100 + i)),
      ]),
    ),
  )
}

class Watcher {
  readonly #world: World
  readonly #baselines: BirdBaseline[]
  readonly #released = new Set<string>()
  #state: TrialState

  constructor(world: World) {
    const { budgetMs, reserveMs, settleMs } = world
    this.#world = world
    this.#baselines = baselines(world)
    const patienceMs = budgetMs - reserveMs
    const terms = { budgetMs, reserveMs, settleMs, goneAt: 0, unseen: 'down' as const, patienceMs }
    this.#state = trialAtStart({ ...terms, isOld: false }, this.#baselines)
  }

  look(policy: Policy, at: number): Tick {
    const { daemons, exitsAt, cancelledAt } = this.#world
    const views = daemons.map((_, i) => this.#view(i, at))
    const silent = daemons.map((daemon) => within(daemon.silent, at))
    this.#state = trialAfter(this.#state, this.#sights(views, silent, at), at)
    const state = windowState(this.#state, at, at >= cancelledAt)
    const verdict = policy(state)
    if (verdict.do === 'release') this.#release(verdict.peers, at)
    const standings = views.map((view, i) => daemonStanding(view, this.#baselines[i] as BirdBaseline, 'down'))
    const phase = combinedPhase(standings.map((standing) => standing.phase))
    return {
      at,
      truth: { running: at < exitsAt, phase, standings },
      state,
      seen: !silent.includes(true),
      verdict,
    }
  }

  /** As the gate asks: for the routes where the sessions are back, for the rows else. */
  #sights(views: BirdView[], silent: boolean[], at: number): Readings {
    const { engineAway, exitsAt, sick, hangs } = this.#world
    const away = within(engineAway, at)
    const phase = this.#state.daemons.map(({ standing }) => standing.phase)
    const asksHealth = phase.every((one) => one === 'recovered') && !within(hangs, at)
    return {
      views: views.map((view, i) => ({
        view: this.#asked(i, silent[i] === true ? { state: 'silent' } : view, at),
        at,
      })),
      container: { state: away ? 'unknown' : at < exitsAt ? 'running' : 'exited', at: away ? null : at },
      ...(asksHealth && { health: { failing: within(sick, at) ? ['sick'] : [], pending: [], felix: null } }),
    }
  }

  #asked(i: number, view: BirdView, at: number): BirdView<SessionRow> {
    const daemon = this.#state.daemons[i]
    if (view.state !== 'up' || (daemon && needsRoutes(daemon, at))) return view
    return { ...view, sessions: view.sessions.map((row) => ({ ...row, imported: null })) }
  }

  #release(peers: string[], at: number): void {
    for (const [i] of this.#world.daemons.entries())
      for (const peer of peers) this.#released.add(`${i} ${this.#lifeAt(i, at).index} ${peer}`)
  }

  /** The life that a BIRD is in, and its age. */
  #lifeAt(i: number, at: number): { index: number; age: number } {
    let age = at
    const lives = this.#world.daemons[i]?.lives ?? []
    const index = lives.findIndex(({ diesAfter }) => age < diesAfter || ((age -= diesAfter), false))
    return { index, age }
  }

  /** What BIRD would answer. */
  #view(i: number, at: number): BirdView {
    const daemon = this.#world.daemons[i] as Daemon
    const { index, age } = this.#lifeAt(i, at)
    const life = daemon.lives[index]
    if (at >= this.#world.exitsAt || life === undefined || age < life.upAfter) return { state: 'down' }
    // a new BIRD knows nothing of what was disabled in the one before
    const disabled = (name: string): boolean => this.#released.has(`${i} ${index} ${name}`)
    const held = this.#baselines[i]?.dead.some((name) => !disabled(name)) === true
    const inTime = age < life.upAfter + RECOVERY_WAIT_MS
    const recovering = inTime && (held || age < life.endOfRibAfter)
    const live = times(daemon.livePeers, (peer) => {
      const flaps = peer === 0 && within(daemon.flaps, at)
      const isUp = age >= life.sessionsAfter && !flaps
      const imported = peer === 0 && at >= daemon.routes.after ? daemon.routes.left : ROUTES
      return session(10 + peer, isUp ? { imported } : { established: false, info: 'Connect', imported: 0 })
    })
    const dead = times(daemon.deadPeers, (peer) => deadSession(100 + peer))
    const sessions = [...live, ...dead.map((peer) => ({ ...peer, disabled: disabled(peer.name) }))]
    return upView(`life-${i}-${index}`, sessions, recovering)
  }
}

function times<T>(count: number, make: (i: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => make(i))
}

function within(intervals: Interval[], at: number): boolean {
  return intervals.some(([from, to]) => at >= from && at < to)
}
