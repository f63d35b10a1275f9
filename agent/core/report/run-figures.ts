import type { Outcome, WindowReport } from './report.ts'

/** What a journaled run can end with: a run that finds nothing to do is not journaled. */
export const RUN_OUTCOMES = [
  'prefetched',
  'upgraded',
  'rolled-back',
  'partial',
  'refused',
  'deferred',
  'stuck',
] as const satisfies Outcome[]

/** All runs of this host that ended, whoever ran them. Its numbers only grow. */
export interface Tally {
  /** By outcome. */
  runs: Record<string, number>
  /** By the code of the problem that ended a run. */
  failures: Record<string, number>
  /** Image layers of the pulls that were completed. */
  pulledBytes: number
  /** When a run last did what it was told, in unix seconds; null if none has. A prefetch is not such a run. */
  lastSuccess: number | null
}

/** What all runs of this host come to. */
export interface RunFigures extends Tally {
  /** The last one that was opened. */
  window: WindowReport | null
  /** When its run began, in unix seconds. */
  windowAt: number | null
  /** The newest one, a prefetch aside, ended stuck and is not settled: an operator is needed. */
  isStuck: boolean
}
