import type { Problem } from '../core/errors.ts'
import type { StepStatus } from '../core/events.ts'
import type { HostIdentity } from '../core/host-identity.ts'
import type { Plan } from '../core/plan/plan.ts'
import type { Outcome, WindowReport } from '../core/report/report.ts'
import type { JournalRecord, Stamp } from './record.ts'

type RunRecord = Extract<JournalRecord, { type: 'run' }>

interface StepState {
  status: StepStatus
  /** Undefined until captured. */
  before?: unknown
  /** When `do` began, for the first time in this boot: what it took away is gone since then. */
  doing?: Stamp
  ms: number
}

/** A run, according to its journal. */
export interface RunState {
  /** Counts the runs of this host. */
  order: number
  /** Null if its journal does not say. */
  host: HostIdentity | null
  plan: Plan
  startedAt: string
  /** Null until it ended. */
  endedAt: string | null
  steps: StepState[]
  problems: Problem[]
  window: WindowReport | null
  /** How long no controllers ran on this host, in ms; null where they did not change. */
  controllersDownMs: number | null
  /** Image layers that its pulls brought. */
  pulledBytes: number
  /** Why the run goes back, once it does. */
  unwinding: Problem | null
  /** The step of a commit that is undone, though it was verified. */
  unwoundCommit: number | null
  resumes: number
  /** Why it was left open, until a resume continues it. */
  stopped: Problem | null
  outcome: Outcome | null
  /** The API server has not accepted the uncordon: retried until it does. */
  uncordonPending: boolean
  /** Its host was settled by hand since it ended stuck. */
  settled: boolean
}

/** Folds the next record into the state; null is the state before the first. */
export function applyRecord(state: RunState | null, record: JournalRecord): RunState {
  if (record.type === 'run') return initialState(record)
  if (state === null) throw new Error('internal error: the journal does not begin with its run')
  switch (record.type) {
    case 'captured':
      return withStep(state, record.step, { before: record.before })
    case 'doing':
      return withStep(state, record.step, { status: 'doing', doing: firstOfBoot(state, record) })
    case 'done':
      return withStep(state, record.step, { status: 'verifying', ms: elapsed(state, record.step, record) })
    case 'undoing':
      return withStep(state, record.step, { status: 'undoing' })
    case 'verified':
    case 'undone':
      return {
        ...withStep(state, record.step, { status: record.type, ms: elapsed(state, record.step, record) }),
        window: record.window === undefined ? state.window : record.window,
        controllersDownMs: record.downMs ?? state.controllersDownMs,
        problems: [...state.problems, ...(record.problems ?? [])],
        uncordonPending: record.uncordonPending === true || state.uncordonPending,
        pulledBytes: state.pulledBytes + (record.pulledBytes ?? 0),
      }
    case 'unwinding':
      return {
        ...state,
        unwinding: record.problem,
        unwoundCommit: record.commit ?? null,
        problems: [...state.problems, record.problem],
      }
    case 'resumed':
      return { ...state, ...goingOn(state), resumes: state.resumes + 1 }
    case 'stopped':
      // It did not die: it reported what stopped it. The next resume counts as part of a loop only if Docker itself fails.
      return {
        ...state,
        resumes: record.problem.code === 'docker-failed' ? state.resumes : 0,
        stopped: record.problem,
        problems: [...state.problems, record.problem],
      }
    case 'uncordoned':
      return { ...state, uncordonPending: false }
    case 'settled':
      return { ...state, settled: true }
    case 'finished':
      return {
        ...state,
        outcome: record.outcome,
        endedAt: record.at,
        problems: record.problem ? [...state.problems, record.problem] : state.problems,
      }
  }
}

/** In a run that continues, the error that stopped it becomes a warning. */
function goingOn({ stopped, problems }: RunState): Pick<RunState, 'stopped' | 'problems'> {
  const passed = (problem: Problem): Problem =>
    problem === stopped ? { ...problem, severity: 'warning' } : problem
  return { stopped: null, problems: problems.map(passed) }
}

function initialState({ order, plan, problems, host, at: startedAt }: RunRecord): RunState {
  const steps = plan.steps.map((): StepState => ({ status: 'pending', ms: 0 }))
  return {
    ...{ order, host: host ?? null, plan, startedAt, steps, problems },
    ...{
      endedAt: null,
      window: null,
      controllersDownMs: null,
      pulledBytes: 0,
      unwinding: null,
      unwoundCommit: null,
      resumes: 0,
      stopped: null,
      outcome: null,
      uncordonPending: false,
      settled: false,
    },
  }
}

function withStep(state: RunState, index: number, change: Partial<StepState>): RunState {
  return { ...state, steps: state.steps.map((step, i) => (i === index ? { ...step, ...change } : step)) }
}

function firstOfBoot(state: RunState, { step, at, mono, boot }: Stamp & { step: number }): Stamp {
  const known = state.steps[step]?.doing
  return known?.boot === boot ? known : { at, mono, boot }
}

function elapsed(state: RunState, index: number, record: Stamp): number {
  const doing = state.steps[index]?.doing
  return doing?.boot === record.boot ? Math.round(record.mono - doing.mono) : 0
}

/** The runs that had a turn, or that say something about the host: all but prefetches. In the order of `history`. */
export function moves(history: RunState[]): RunState[] {
  return history.filter(({ plan }) => plan.command !== 'prefetch')
}

/** An operator is needed. */
export function isStuck({ outcome, settled }: Pick<RunState, 'outcome' | 'settled'>): boolean {
  return outcome === 'stuck' && !settled
}

/** The run replaced something and kept it, or a part of it. */
export function isCommittedRun({ plan, outcome, unwinding }: RunState): boolean {
  if (outcome === 'partial') return true
  return (
    plan.command !== 'prefetch' && unwinding === null && (outcome === 'upgraded' || outcome === 'rolled-back')
  )
}
