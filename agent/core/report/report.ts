import type { Problem } from '../errors.ts'
import type { StepStatus } from '../events.ts'
import type { Change, Component, StepKind } from '../plan/plan.ts'

export type Outcome =
  | 'unchanged'
  | 'planned'
  | 'prefetched'
  | 'upgraded'
  | 'refused'
  | 'rolled-back'
  | 'partial'
  | 'stuck'
  | 'deferred'

/** The window as it went; milliseconds since the old BIRD was last alive, null for what did not come. */
export interface WindowReport {
  budgetMs: number
  birdDownMs: number | null
  sessionsBackMs: number | null
  recoveredMs: number | null
  usedMs: number | null
  /** When the gate was passed, with the time to settle; absent where it was not, and in journals of 0.1. */
  settledMs?: number
  releasedPeers: string[]
}

export interface StepReport {
  kind: StepKind
  component: Component
  summary: string
  status: StepStatus
  ms: number
}

export interface DiffEntry {
  target: string
  before: string
  after: string
}

/** The Node of this host while it was worked on. */
export interface CordonReport {
  node: string
  /** Who had cordoned it before the run, which leaves it cordoned; null where nobody had, or nobody is named. */
  cordonedBy: string | null
  /** The API server was away: the Node is cordoned until a later try. */
  uncordonPending: boolean
}

export interface ReportedChange extends Change {
  /** Of a partial run: this part came back to what it was, while others stand. */
  rolledBack?: true
}

/** The JSON of `upgrade`, `plan`, `prefetch`, `rollback` and `resume`. */
export interface Report {
  schema: 1
  run: string | null
  outcome: Outcome
  changed: boolean
  components: Partial<Record<Component, ReportedChange>>
  steps: StepReport[]
  /** Null where no BIRD runs, or none was touched. */
  window: WindowReport | null
  /** How long no controllers ran on this host; null where they did not change. */
  controllersDownMs: number | null
  /** Null where the run cordoned no Node. */
  kubernetes: CordonReport | null
  diff: DiffEntry[]
  problems: Problem[]
}
