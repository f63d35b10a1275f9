import { type BirdBaseline, isSameReboot } from './baseline.ts'
import { type DaemonStanding, daemonStanding } from './phase.ts'
import type { BirdUp, BirdView, SessionRow } from './view.ts'
import { END_OF_RIB_MS } from './window.ts'

/** BIRD's default hold time, and its wait for End-of-RIB: after it, peers have dropped a BIRD that hangs. */
const HOLD_TIME_MS = 240_000
/** A BIRD that is only busy answers within this. */
const FIRST_ANSWER_MS = 10_000
/** BIRD may need several starts before its first config is rendered; after that it is crash-looping. */
const TOLERATED_STARTS = 2

/** What is known of one daemon of a container on trial, from look to look; times are monotonic ms. */
export interface DaemonState {
  readonly baseline: BirdBaseline
  /** Compared with the baseline, by the last look. */
  readonly standing: DaemonStanding
  /** It has answered at least once. */
  readonly heard: boolean
  readonly silentAt: number | null
  /** The BIRD that answered last, unless it is gone. */
  readonly living: Pick<BirdUp, 'instance' | 'lastReboot'> | null
  readonly fallsBeforeSessions: number
  readonly fallsAfterSessions: number
  readonly fellAt: number
  readonly hadSession: boolean
  /** Since then its recovery has been over without a break. */
  readonly recoveredAt: number | null
  /** Routes by session, from the last look that read them. */
  readonly imported: ReadonlyMap<string, number>
  readonly importedAt: number
  readonly waitTimer: string | null
  readonly comings: ReadonlyMap<string, Coming>
}

/** How a session of the baseline came back. */
interface Coming {
  /** As the last look found it. */
  established: boolean
  /** The last look at which it was Established. */
  seenAt: number
  /** How long it has been away since it first came, until it came again. */
  awayMs: number
}

/** `unseen`: the state assumed for a daemon that is silent from the first look on. */
export function daemonAtStart(baseline: BirdBaseline, unseen: 'down' | 'recovering'): DaemonState {
  return {
    baseline,
    standing: daemonStanding({ state: 'silent' }, baseline, unseen),
    heard: false,
    silentAt: null,
    living: null,
    fallsBeforeSessions: 0,
    fallsAfterSessions: 0,
    fellAt: -Infinity,
    hadSession: false,
    recoveredAt: null,
    imported: new Map(),
    importedAt: -Infinity,
    waitTimer: null,
    comings: new Map(),
  }
}

/** After one more look, which ended at `at`. */
export function daemonAfter(state: DaemonState, view: BirdView<SessionRow>, at: number): DaemonState {
  if (view.state === 'silent') {
    const standing = daemonStanding(view, state.baseline, state.standing.phase)
    return { ...state, standing, silentAt: state.silentAt ?? at }
  }
  const imported = view.state === 'up' ? routesOf(view.sessions, state.imported) : new Map<string, number>()
  const standing = daemonStanding(withRoutes(view, imported), state.baseline, state.standing.phase)
  const isUp = view.state === 'up' && standing.phase !== 'down'
  const readsRoutes = view.state === 'up' && view.sessions.every((session) => session.imported !== null)
  return {
    ...state,
    standing,
    imported,
    importedAt: readsRoutes ? at : state.importedAt,
    heard: true,
    silentAt: null,
    ...fallsAfter(state, isUp ? view : null, at),
    hadSession: state.hadSession || standing.phase === 'recovering' || standing.phase === 'recovered',
    recoveredAt: standing.phase === 'recovered' ? (state.recoveredAt ?? at) : null,
    waitTimer: isUp ? view.waitTimer : null,
    comings: isUp ? comingsAfter(state, view.sessions, at) : gone(state.comings),
  }
}

/** A look at the rows alone keeps what an earlier one read of a session that is still up. */
function routesOf(sessions: SessionRow[], known: ReadonlyMap<string, number>): Map<string, number> {
  return new Map(
    sessions.flatMap(({ name, established, imported }) => {
      const routes = imported ?? (established ? known.get(name) : 0)
      return routes === undefined ? [] : [[name, routes] as const]
    }),
  )
}

function withRoutes(view: BirdView<SessionRow>, imported: Map<string, number>): BirdView<SessionRow> {
  if (view.state !== 'up') return view
  const sessions = view.sessions.map((session) => ({
    ...session,
    imported: imported.get(session.name) ?? null,
  }))
  return { ...view, sessions }
}

/** Two looks may both find a BIRD and miss the death between them: then it is another one. */
function fallsAfter(state: DaemonState, view: BirdUp<SessionRow> | null, at: number) {
  const { living, hadSession, fallsBeforeSessions, fallsAfterSessions } = state
  const fell = living !== null && (view === null || !isSameBird(living, view))
  return {
    living: view && {
      instance: view.instance,
      lastReboot: isOf(living, view) ? living.lastReboot : view.lastReboot,
    },
    fellAt: fell ? at : state.fellAt,
    fallsBeforeSessions: fallsBeforeSessions + (fell && !hadSession ? 1 : 0),
    fallsAfterSessions: fallsAfterSessions + (fell && hadSession ? 1 : 0),
  }
}

function isOf(
  living: DaemonState['living'],
  view: BirdUp<SessionRow>,
): living is NonNullable<DaemonState['living']> {
  return living !== null && isSameBird(living, view)
}

/** With exec, only "last reboot" shows it, which moves when the clock is set: a restarted BIRD must recover. */
function isSameBird(living: NonNullable<DaemonState['living']>, view: BirdUp<SessionRow>): boolean {
  if (living.instance !== null && view.instance !== null) return living.instance === view.instance
  const isFresh = view.recovering || !view.sessions.some(({ established }) => established)
  return !isFresh || isSameReboot(living.lastReboot, view.lastReboot)
}

function comingsAfter(state: DaemonState, sessions: SessionRow[], at: number): DaemonState['comings'] {
  const byName = new Map(sessions.map((session) => [session.name, session]))
  return new Map(
    state.baseline.established.flatMap(({ name }) => {
      const coming = comingAfter(state.comings.get(name), byName.get(name), at)
      return coming ? [[name, coming] as const] : []
    }),
  )
}

function comingAfter(known: Coming | undefined, now: SessionRow | undefined, at: number): Coming | undefined {
  const established = now?.established === true
  if (!established) return known && { ...known, established }
  if (known === undefined) return { established, seenAt: at, awayMs: 0 }
  return { established, seenAt: at, awayMs: known.awayMs + (known.established ? 0 : at - known.seenAt) }
}

function gone(comings: DaemonState['comings']): DaemonState['comings'] {
  return new Map([...comings].map(([name, coming]) => [name, { ...coming, established: false }]))
}

/** Sessions that came, went and came again: their peer may have been without this host's routes for that long. */
export function flaps({ comings }: DaemonState): { name: string; awayMs: number }[] {
  return [...comings].flatMap(([name, { awayMs }]) => (awayMs > 0 ? [{ name, awayMs }] : []))
}

/** The phase that counts for the verdict: a recovering daemon that has been silent for too long is down, as its sessions have expired. */
export function bindingPhase(
  { standing, silentAt, heard }: DaemonState,
  now: number,
): DaemonStanding['phase'] {
  if (standing.phase !== 'recovering' || silentAt === null) return standing.phase
  return now - silentAt < (heard ? HOLD_TIME_MS : FIRST_ANSWER_MS) ? 'recovering' : 'down'
}

/** BIRD dies in a container that runs, more often than a start may need; with a session up, once is too often. */
export function keepsDying({ fallsBeforeSessions, fallsAfterSessions }: DaemonState): boolean {
  return fallsAfterSessions > 0 || fallsBeforeSessions > TOLERATED_STARTS
}

/** Its peers may not have read its End-of-RIB yet. */
export function endOfRibPending({ recoveredAt }: DaemonState, now: number): boolean {
  return recoveredAt !== null && now - recoveredAt < END_OF_RIB_MS
}

/** Its recovery is over: the routes must be known, and only the details show them. */
export function needsRoutes({ standing, importedAt, silentAt }: DaemonState, now: number): boolean {
  return standing.phase === 'recovered' && silentAt === null && now - importedAt >= ROUTES_POLL_MS
}

/** The details of a large mesh are long. */
const ROUTES_POLL_MS = 1_000
