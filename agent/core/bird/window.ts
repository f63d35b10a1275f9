/**
 * The window policy: when a new calico/node is kept, waited for, or given up.
 *
 * The peers keep this host's routes as stale from the moment the old BIRD died, for as long as it had announced
 * (RFC 4724). Two facts decide what is allowed in that time:
 * - a session that drops again between Established and the end of the recovery makes the peers delete the routes
 *   at once (RFC 4724 4.2): in that phase the new BIRD is never killed;
 * - before any session is Established, and again after the recovery, a restart costs nothing.
 *
 * So the budget counts until the recovery is over and every session of the baseline is back. After that, the peers have
 * their routes: there is no hurry any more, and only a lasting failure counts.
 */

/** The state of the new BIRD, over all its daemons. */
export type BirdPhase =
  /** No BIRD is expected: the backend is none or vxlan. */
  | 'none'
  | 'down'
  /** It answers; no session is Established. */
  | 'starting'
  /** Some session is Established and the graceful-restart recovery is in progress. */
  | 'recovering'
  /** The recovery is over and End-of-RIB is sent: a restart now opens a fresh window. */
  | 'recovered'

export interface WindowState {
  /** Since the old BIRD was gone. */
  sinceGoneMs: number
  budgetMs: number
  /** The time that the way back needs; a rollback before Established starts while this much is left. */
  reserveMs: number
  settleMs: number
  phase: BirdPhase
  /** A daemon has ended its recovery just now: its peers may not have read its End-of-RIB yet. */
  endOfRibPending: boolean
  /** Also unknown if BIRD has died since the last look at the container. */
  container: 'running' | 'exited' | 'unknown'
  /** BIRD was up, then gone: in a container that runs, it is crash-looping. */
  birdRestarted: boolean
  /** Felix was up, then another Felix, in the same running container: it is crash-looping. */
  felixRestarted: boolean
  /** BIRD is up and knows none of the peers of the baseline. */
  peersForgotten: boolean
  /** Since the first look at which the recovery was over with the baseline met; null before. Without BIRD, since gone. */
  recoveredForMs: number | null
  /** Null while the baseline or the health is not met, else for how long both have been without a break. */
  passedForMs: number | null
  /** Null while all is met, otherwise for how long it has not been, without a break; counted from the recovery on. */
  failingForMs: number | null
  /** Peers dead before the upgrade, if the recovery waits only for them. */
  deadPeersHolding: string[]
  /** Someone asked to stop. */
  cancelled: boolean
}

export type RollbackReason =
  | 'exited'
  | 'cancelled'
  | 'bird-restarted'
  | 'felix-restarted'
  | 'peers-forgotten'
  | 'out-of-time'
  | 'unhealthy'

export type Verdict =
  | { do: 'wait' }
  | { do: 'succeed' }
  | { do: 'release'; peers: string[] }
  | { do: 'roll-back'; reason: RollbackReason }

/** BIRD ends its recovery shortly before the peers have read its End-of-RIB. */
export const END_OF_RIB_MS = 1_000
/** After the recovery: Felix needs up to half a minute for its first answer, and a blip is no failure. */
export const UNHEALTHY_LIMIT_MS = 60_000
/** After the recovery, in addition to the settling time: what comes and goes for this long does not settle. */
export const UNSETTLED_LIMIT_MS = 300_000

/** Pure: the verdict for one look at the host. */
export function windowVerdict(state: WindowState): Verdict {
  const { phase, passedForMs, settleMs } = state
  // Its BIRD died with it: whatever that cost is spent, and only the old one brings the routes back.
  if (state.container === 'exited') return rollBack('exited')
  if (state.deadPeersHolding.length > 0) return { do: 'release', peers: state.deadPeersHolding }
  if (phase === 'recovering') return wait
  const isGood = passedForMs !== null && !state.birdRestarted && !state.cancelled
  const reason = reasonToGiveUp(state) ?? (isGood ? null : overdueBy(state))
  if (reason !== null) return state.endOfRibPending ? wait : rollBack(reason)
  return isGood && passedForMs >= settleMs && state.container === 'running' ? { do: 'succeed' } : wait
}

const wait: Verdict = { do: 'wait' }

/** What time does not fix. */
function reasonToGiveUp(state: WindowState): RollbackReason | null {
  if (state.cancelled) return 'cancelled'
  // BIRD dies shortly before Docker reports that its container did
  if (state.birdRestarted && state.container === 'running') return 'bird-restarted'
  if (state.felixRestarted) return 'felix-restarted'
  return state.peersForgotten ? 'peers-forgotten' : null
}

/** Before the recovery, the budget without the reserve decides; after it, how long the failure lasts. */
function overdueBy({
  recoveredForMs,
  failingForMs,
  sinceGoneMs,
  budgetMs,
  reserveMs,
  settleMs,
}: WindowState): RollbackReason | null {
  if (recoveredForMs === null) return sinceGoneMs >= budgetMs - reserveMs ? 'out-of-time' : null
  const lasts = (failingForMs ?? 0) >= UNHEALTHY_LIMIT_MS
  return lasts || recoveredForMs >= settleMs + UNSETTLED_LIMIT_MS ? 'unhealthy' : null
}

function rollBack(reason: RollbackReason): Verdict {
  return { do: 'roll-back', reason }
}

/** The document's window, and hosted Calico's: 90 s. */
export const CALICO_WINDOW_MS = 90_000

/** The way back takes a container start and BIRD's connect delay: 5 s at best, rarely up to 18 s. */
export const ASSUMED_ROLLBACK_MS = 20_000

/** The smallest of Calico's 90 s, what BIRD announced to its peers, and what the operator sets. */
export function windowBudget(
  announcedMs: number,
  configuredMs: number,
): { budgetMs: number; reserveMs: number } {
  const budgetMs = Math.min(CALICO_WINDOW_MS, announcedMs, configuredMs)
  return { budgetMs, reserveMs: Math.min(ASSUMED_ROLLBACK_MS, Math.floor(budgetMs / 3)) }
}
