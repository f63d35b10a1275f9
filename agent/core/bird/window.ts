/**
 * The window policy: when a new calico/node is kept, waited for, or given up.
 *
 * The peers keep this host's routes as stale from the moment the old BIRD died, for as long as it had announced
 * (RFC 4724). Two facts rule what may be done in that time:
 * - a session that drops again between Established and the end of the recovery makes the peers delete the routes
 *   at once (RFC 4724 4.2): in that phase the new BIRD is never killed;
 * - before any session is Established, and again after the recovery, a restart costs nothing.
 */

/** Where the new BIRD stands, all its daemons taken together. */
export type BirdPhase =
  /** No BIRD is expected: the backend is none or vxlan. */
  | 'none'
  | 'down'
  /** It answers; no session is Established. */
  | 'starting'
  /** Some session is Established and the graceful-restart recovery goes on. */
  | 'recovering'
  /** The recovery is over and End-of-RIB is sent: a restart now opens a fresh window. */
  | 'recovered'

export interface WindowState {
  /** Since the old BIRD was gone. */
  sinceGoneMs: number
  budgetMs: number
  /** What the way back takes; a rollback before Established starts while this much is left. */
  reserveMs: number
  settleMs: number
  phase: BirdPhase
  /** How long the phase has been `recovered` without a break. */
  recoveredForMs: number
  container: 'running' | 'exited' | 'unknown'
  /** BIRD was up, then gone, while the container ran: it is crash-looping. */
  birdRestarted: boolean
  /** BIRD is up and knows none of the peers of the baseline. */
  peersForgotten: boolean
  /** Null while the baseline or the health is not met, else for how long both have been without a break. */
  passedForMs: number | null
  /** Peers dead before the upgrade that alone hold the recovery back. */
  deadPeersHolding: string[]
  /** Somebody asked to stop. */
  cancelled: boolean
}

export type RollbackReason = 'exited' | 'cancelled' | 'bird-restarted' | 'peers-forgotten' | 'out-of-time'

export type Verdict =
  | { do: 'wait' }
  | { do: 'succeed' }
  | { do: 'release'; peers: string[] }
  | { do: 'roll-back'; reason: RollbackReason }

/** BIRD ends its recovery a moment before the peers have read its End-of-RIB. */
export const END_OF_RIB_MS = 1000

/** Pure: the verdict for one look at the host. */
export function windowVerdict(state: WindowState): Verdict {
  // Its BIRD died with it: whatever that cost is spent, and only the old one brings the routes back.
  if (state.container === 'exited') return { do: 'roll-back', reason: 'exited' }
  if (state.deadPeersHolding.length > 0) return { do: 'release', peers: state.deadPeersHolding }
  if (state.phase === 'recovering') return { do: 'wait' }
  const passedFor = state.passedForMs
  if (passedFor !== null && passedFor >= state.settleMs && !state.cancelled) return { do: 'succeed' }
  if (state.phase === 'recovered' && state.recoveredForMs < END_OF_RIB_MS) return { do: 'wait' }
  if (state.cancelled) return { do: 'roll-back', reason: 'cancelled' }
  if (state.birdRestarted) return { do: 'roll-back', reason: 'bird-restarted' }
  if (state.peersForgotten) return { do: 'roll-back', reason: 'peers-forgotten' }
  if (passedFor !== null || state.sinceGoneMs < state.budgetMs - state.reserveMs) return { do: 'wait' }
  return { do: 'roll-back', reason: 'out-of-time' }
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
