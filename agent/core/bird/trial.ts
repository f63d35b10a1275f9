import type { BirdBaseline } from './baseline.ts'
import {
  bindingPhase,
  type DaemonState,
  daemonAfter,
  daemonAtStart,
  endOfRibPending,
  keepsDying,
} from './daemon.ts'
import { combinedPhase } from './phase.ts'
import type { BirdView, SessionRow } from './view.ts'
import type { BirdPhase, WindowState } from './window.ts'

/** How a container on trial is judged; times in ms, `goneAt` monotonic: when the old BIRD was last alive. */
export interface TrialTerms extends Pick<WindowState, 'budgetMs' | 'reserveMs' | 'settleMs'> {
  goneAt: number
  /** The state assumed for a BIRD that is silent from the first look on. */
  unseen: 'down' | 'recovering'
  /** Since goneAt: after this, peers that are gone no longer count. */
  patienceMs: number
  /** The old node on its way back is not judged: if no peer is left, there is nothing to recover from. */
  isOld: boolean
}

/** What Docker says of the container. */
interface ContainerSight {
  state: WindowState['container']
  /** When the look at it began; null if none has ended since the last one. */
  at: number | null
}

export interface HealthReading {
  /** In words, what does not pass. */
  failing: string[]
  /** As text, what has no verdict of its own yet, such as Docker's health check. */
  pending: string[]
  /** Process id of Felix on the host; null where there is none or it cannot be told. */
  felix: number | null
}

/** Everything that is known of a trial, from look to look. */
export interface TrialState {
  readonly terms: TrialTerms
  readonly daemons: readonly DaemonState[]
  readonly container: ContainerSight & { at: number }
  /** Null before the first look. */
  readonly health: HealthReading | null
  readonly felixRestarts: number
  /** Neighbors of missing sessions whose hosts cannot be reached. */
  readonly gonePeers: readonly string[]
  /** From the last moment on, neighbors that are gone no longer count. */
  readonly excusesGonePeers: boolean
  readonly recoveredAt: number | null
  readonly passedAt: number | null
  readonly failingAt: number | null
}

/** A Felix that restarts once may have loaded its config; one that keeps restarting is crash-looping. */
const TOLERATED_FELIX_RESTARTS = 2
/** BIRD dies shortly before Docker reports that its container did. */
const CONTAINER_MARGIN_MS = 250

export function trialAtStart(terms: TrialTerms, baselines: BirdBaseline[]): TrialState {
  return {
    terms,
    daemons: baselines.map((baseline) => daemonAtStart(baseline, terms.unseen)),
    container: { state: 'running', at: -Infinity },
    health: null,
    felixRestarts: 0,
    gonePeers: [],
    excusesGonePeers: false,
    recoveredAt: null,
    passedAt: null,
    failingAt: null,
  }
}

/** What looks have found since the last judgement; a daemon without a new look is undefined. */
export interface Readings {
  views: ({ view: BirdView<SessionRow>; at: number } | undefined)[]
  container: ContainerSight
  health?: HealthReading | undefined
  gonePeers?: string[] | undefined
}

/** After one more round of looks, judged at `now`. */
export function trialAfter(state: TrialState, sights: Readings, now: number): TrialState {
  const daemons = state.daemons.map((daemon, i) => {
    const sight = sights.views[i]
    return sight ? daemonAfter(daemon, sight.view, sight.at) : daemon
  })
  const { gonePeers = state.gonePeers } = sights
  const container = { state: sights.container.state, at: sights.container.at ?? state.container.at }
  const restarted = isOtherFelix(state.health, sights.health)
  const next = {
    ...state,
    ...{ daemons, container, gonePeers },
    excusesGonePeers: state.excusesGonePeers || isLastMoment(state, now),
    health: healthAfter(state.health, sights.health),
    felixRestarts: state.felixRestarts + (restarted ? 1 : 0),
  }
  const isPending = (next.health?.pending.length ?? 0) > 0
  const passes = isSettled(next, now) && isWhole(next) && isHealthy(next) && !isPending
  const recoveredAt = state.recoveredAt ?? (isSettled(next, now) && isWhole(next) ? now : null)
  return {
    ...next,
    recoveredAt,
    passedAt: passes && !restarted ? (state.passedAt ?? now) : null,
    failingAt: recoveredAt === null || passes || isOnlyPending(next, now) ? null : (state.failingAt ?? now),
  }
}

/** A look that finds no Felix keeps the known one: the next one may differ from it. */
function healthAfter(before: HealthReading | null, now: HealthReading | undefined): HealthReading | null {
  return now === undefined ? before : { ...now, felix: now.felix ?? before?.felix ?? null }
}

function isOtherFelix(before: HealthReading | null, now: HealthReading | undefined): boolean {
  return before?.felix != null && now?.felix != null && before.felix !== now.felix
}

/** BIRD's recovery is not in progress: from here on, the health counts. */
export function isSettled(state: TrialState, now: number): boolean {
  const phase = phaseOf(state, now)
  return phase === 'none' || phase === 'recovered' || isNobodyLeft(state, phase)
}

function isNobodyLeft({ terms }: TrialState, phase: BirdPhase): boolean {
  return terms.isOld && phase === 'starting'
}

/** Every session of the baseline is back with routes, except those whose hosts are gone. */
function isWhole({ daemons, excusesGonePeers, gonePeers }: TrialState): boolean {
  const excused = excusesGonePeers ? gonePeers : []
  return daemons.every(({ standing: { unmet, missing, bare }, silentAt }) => {
    const areGone = missing.length > 0 && missing.every(({ neighbor }) => excused.includes(neighbor))
    return unmet.length === 0 || (areGone && bare.length === 0 && silentAt === null)
  })
}

/** A health check with a long interval is no failure: only the time to settle bounds it. */
function isOnlyPending(state: TrialState, now: number): boolean {
  return isSettled(state, now) && isWhole(state) && isHealthy(state)
}

function isHealthy({ health, container }: TrialState): boolean {
  return health?.failing.length === 0 && container.state === 'running'
}

export function phaseOf({ daemons }: TrialState, now: number): BirdPhase {
  return combinedPhase(daemons.map((daemon) => bindingPhase(daemon, now)))
}

/** Missing sessions whose hosts must be probed, early enough to know when it counts. */
export function peersToLookFor(
  { terms, daemons }: TrialState,
  now: number,
): { neighbor: string; port: number }[] {
  const latest = terms.patienceMs - LOOK_FOR_MS
  if (now - terms.goneAt < (terms.isOld ? latest : Math.min(USUALLY_BACK_MS, latest))) return []
  const missing = daemons.flatMap(({ standing }) => (standing.phase === 'down' ? [] : standing.missing))
  if (missing.length > MOST_GONE) return []
  return missing.map(({ neighbor, port = BGP_PORT }) => ({ neighbor, port }))
}

const BGP_PORT = 179
/** Sessions that come back at all mostly do so before. */
const USUALLY_BACK_MS = 8_000
/** More than this cannot all have gone by themselves. */
const MOST_GONE = 50
/** Three attempts: the kernel takes 8 s to notice that a known host no longer answers. */
const LOOK_FOR_MS = 12_000
/** A session that is lost after the recovery may come back by itself. */
const LOST_FOR_MS = 30_000

/** Not before it: a switch that restarts makes all peers unreachable for a while. */
function isLastMoment({ terms, recoveredAt, failingAt }: TrialState, now: number): boolean {
  if (recoveredAt === null) return now - terms.goneAt >= terms.patienceMs
  return failingAt !== null && now - failingAt >= LOST_FOR_MS
}

/** The policy's view of the trial. */
export function windowState(state: TrialState, now: number, cancelled: boolean): WindowState {
  const { terms, daemons, container, recoveredAt, passedAt, failingAt } = state
  const phase = phaseOf(state, now)
  const fellAt = Math.max(-Infinity, ...daemons.map((daemon) => daemon.fellAt))
  return {
    sinceGoneMs: now - terms.goneAt,
    budgetMs: terms.budgetMs,
    reserveMs: terms.reserveMs,
    settleMs: terms.settleMs,
    phase,
    endOfRibPending: daemons.some((daemon) => endOfRibPending(daemon, now)),
    container:
      container.at >= fellAt + CONTAINER_MARGIN_MS || container.state === 'exited'
        ? container.state
        : 'unknown',
    birdRestarted: daemons.some(keepsDying),
    felixRestarted: state.felixRestarts > TOLERATED_FELIX_RESTARTS,
    peersForgotten: daemons.some(({ standing }) => standing.peersForgotten),
    recoveredForMs: recoveredAt === null ? null : now - recoveredAt,
    passedForMs: passedAt === null ? null : now - passedAt,
    failingForMs: failingAt === null ? null : now - failingAt,
    deadPeersHolding: daemons.flatMap(({ standing }) => standing.deadPeersHolding),
    cancelled,
  }
}

/** As text, what is not as it must be. */
export function unmetOf({ daemons, health }: TrialState): string[] {
  const unmet = daemons.flatMap(({ standing }) => standing.unmet)
  return [...new Set([...unmet, ...(health?.failing ?? []), ...(health?.pending ?? [])])]
}
