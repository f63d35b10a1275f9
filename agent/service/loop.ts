import type { Problem } from '../core/errors.ts'

/** What the config said when it was last read. */
export type ConfigSnapshot =
  | {
      kind: 'valid'
      /** Everything that a run depends on: two configs with the same fingerprint request the same. */
      fingerprint: string
      /** As text; null if it requests nothing. */
      target: string | null
      apply: 'auto' | 'manual'
    }
  | { kind: 'invalid'; problems: Problem[] }

export type JobKind = 'resume' | 'apply' | 'uncordon'

/** How a job ended: `refused` changed nothing, `unfinished` left its run open because Docker went away. */
export type End = 'done' | 'failed' | 'refused' | 'deferred' | 'unfinished' | 'stuck'

/** What the service knows and intends; a value, changed only by the functions below. Times are monotonic ms. */
export interface LoopState {
  readonly snapshot: ConfigSnapshot | null
  /** Single flight: at most one. `fingerprint` is what it applies. */
  readonly job: {
    readonly kind: JobKind
    readonly fingerprint: string
    /** What keeps it from its start: other hosts, mostly. */
    readonly waiting: string | null
  } | null
  /** An interrupted run comes before everything else. */
  readonly resumeDue: boolean
  /** A run left its Node cordoned, because the API server was down. This does not prevent anything else. */
  readonly uncordonDue: boolean
  /** What was tried and is not tried again by itself. */
  readonly settled: { readonly fingerprint: string; readonly end: 'done' | 'failed' } | null
  /** An operator is needed: nothing is applied until one says so. */
  readonly stuck: boolean
  readonly retry: { readonly at: number; readonly tries: number; readonly why: End } | null
  readonly stopping: boolean
}

export const atStart: LoopState = {
  snapshot: null,
  job: null,
  resumeDue: true,
  uncordonDue: false,
  settled: null,
  stuck: false,
  retry: null,
  stopping: false,
}

/** Another agent is running: it finishes soon. */
const LOCKED_RETRY_MS = 10_000
/** A registry or a peer that is down: doubled for each further try. */
const FIRST_RETRY_MS = 60_000
const LAST_RETRY_MS = 3_600_000

/** What to begin now, if anything. */
export function nextJob(state: LoopState, now: number): JobKind | null {
  if (state.stopping || state.job !== null || state.snapshot?.kind !== 'valid') return null
  return dueJob(state, now) ?? (state.uncordonDue ? 'uncordon' : null)
}

function dueJob(state: LoopState, now: number): JobKind | null {
  if (state.retry !== null && now < state.retry.at) return null
  if (state.resumeDue) return 'resume'
  return wantsApply(state) ? 'apply' : null
}

function wantsApply({ snapshot, stuck, settled }: LoopState): boolean {
  if (stuck || snapshot?.kind !== 'valid' || snapshot.apply !== 'auto' || snapshot.target === null)
    return false
  return settled?.fingerprint !== snapshot.fingerprint
}

/** When the answer of `nextJob` may change without an event. */
export function dueAt({ job, retry }: LoopState): number | null {
  return job === null && retry !== null ? retry.at : null
}

/** The config was read: a changed one starts over, an invalid one changes nothing. */
export function onConfigRead(state: LoopState, snapshot: ConfigSnapshot): LoopState {
  const isNew = snapshot.kind === 'valid' && snapshot.fingerprint !== fingerprintOf(state.snapshot)
  const waits = state.resumeDue || state.retry?.why === 'deferred'
  return { ...state, snapshot, retry: isNew && !waits ? null : state.retry }
}

export function onJobStart(state: LoopState, kind: JobKind): LoopState {
  return { ...state, job: { kind, fingerprint: fingerprintOf(state.snapshot), waiting: null } }
}

export function onWaiting(state: LoopState, waiting: string | null): LoopState {
  return { ...state, job: state.job && { ...state.job, waiting } }
}

/** A job that waits for other hosts, for what the config no longer asks for. */
export function waitsInVain({ job, snapshot }: LoopState): boolean {
  if (job?.waiting == null || snapshot?.kind !== 'valid') return false
  return snapshot.fingerprint !== job.fingerprint || snapshot.apply !== 'auto'
}

export function onJobEnd(state: LoopState, end: End, now: number): LoopState {
  const { job } = state
  if (job === null) throw new Error('internal error: no job was started')
  const idle = { ...state, job: null }
  if (job.kind === 'uncordon') return { ...idle, uncordonDue: false }
  switch (end) {
    case 'deferred':
      // it was told to wait no longer, for there is something else to do
      if (waitsInVain(state)) return { ...idle, retry: null }
      return { ...idle, retry: { at: now + LOCKED_RETRY_MS, tries: state.retry?.tries ?? 0, why: end } }
    case 'unfinished':
      return { ...idle, resumeDue: true, retry: laterRetry(state, end, now) }
    case 'stuck':
      return { ...idle, resumeDue: false, stuck: true, retry: null }
    case 'done':
    case 'failed':
    case 'refused':
      // Whatever its outcome, the interrupted run is settled.
      if (job.kind === 'resume') return { ...idle, resumeDue: false, retry: null }
      if (end === 'refused') return { ...idle, retry: laterRetry(state, end, now) }
      return { ...idle, settled: { fingerprint: job.fingerprint, end }, retry: null }
  }
}

function laterRetry({ retry }: LoopState, why: End, now: number): LoopState['retry'] {
  const tries = (retry?.tries ?? 0) + 1
  return { at: now + Math.min(FIRST_RETRY_MS * 2 ** (tries - 1), LAST_RETRY_MS), tries, why }
}

/** Asked at each look, so that it is tried as often. */
export function onUncordonAsked(state: LoopState, uncordonDue: boolean): LoopState {
  return { ...state, uncordonDue }
}

/** The journal says that this target failed before: it is not tried again by itself. */
export function onTargetHeld(state: LoopState, { stuck }: { stuck: boolean }): LoopState {
  return { ...state, stuck, settled: { fingerprint: fingerprintOf(state.snapshot), end: 'failed' } }
}

/** An operator has run the agent by hand since: what failed is no longer the last word. */
export function onTargetReleased(state: LoopState): LoopState {
  const { settled } = state
  return { ...state, stuck: false, settled: settled && { ...settled, end: 'done' } }
}

/** SIGHUP: an operator asks for another try of everything. */
export function onReload(state: LoopState): LoopState {
  return { ...state, resumeDue: true, settled: null, stuck: false, retry: null }
}

export function onStop(state: LoopState): LoopState {
  return { ...state, stopping: true }
}

/** The state of the service, in one word. */
export const SERVICE_STATES = [
  'stopping',
  'resuming',
  'waiting',
  'applying',
  'stuck',
  'config-invalid',
  'retrying',
  'held',
  'manual',
  'idle',
] as const

export type ServiceState = (typeof SERVICE_STATES)[number]

export function serviceState(state: LoopState): ServiceState {
  const { job, snapshot, settled } = state
  if (state.stopping) return 'stopping'
  if (job !== null && job.waiting !== null) return 'waiting'
  if (job !== null) return job.kind === 'apply' ? 'applying' : 'resuming'
  if (state.stuck) return 'stuck'
  if (snapshot?.kind === 'invalid') return 'config-invalid'
  if (state.retry !== null) return 'retrying'
  if (settled?.end === 'failed' && settled.fingerprint === fingerprintOf(snapshot)) return 'held'
  const isAsked = snapshot?.kind === 'valid' && snapshot.target !== null
  if (isAsked && snapshot.apply === 'manual') return 'manual'
  return 'idle'
}

function fingerprintOf(snapshot: ConfigSnapshot | null): string {
  return snapshot?.kind === 'valid' ? snapshot.fingerprint : ''
}
