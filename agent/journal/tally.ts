import { isError } from '../core/errors.ts'
import type { Outcome, WindowReport } from '../core/report/report.ts'
import { isCommittedRun, type RunState } from './run-state.ts'

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
  runs: Record<string, number>
  /** By the code of the problem that ended a run. */
  failures: Record<string, number>
  /** Image layers of the pulls that were completed. */
  pulledBytes: number
  /** When a run last did what it was told, in unix seconds; null if none has. A prefetch is not such a run. */
  lastSuccess: number | null
}

export const noRuns: Tally = {
  runs: Object.fromEntries(RUN_OUTCOMES.map((outcome) => [outcome, 0])),
  failures: {},
  pulledBytes: 0,
  lastSuccess: null,
}

/** What is counted of a run; a run that has ended keeps it. */
export interface RunResult extends Pick<RunState, 'order' | 'outcome' | 'pulledBytes'> {
  run: string
  window: WindowReport | null
  failure: string | null
  success: number | null
}

export function resultOf(state: RunState): RunResult {
  const { plan, order, outcome, endedAt, pulledBytes, window } = state
  const success = isSuccess(state) && endedAt !== null ? Date.parse(endedAt) / 1000 : null
  return { run: plan.run, order, outcome, pulledBytes, window, failure: failureOf(state), success }
}

/** A run without an end is not counted yet. */
export function counted(tally: Tally, { outcome, failure, pulledBytes, success }: RunResult): Tally {
  if (outcome === null) return tally
  return {
    runs: plusOne(tally.runs, outcome),
    failures: failure === null ? tally.failures : plusOne(tally.failures, failure),
    pulledBytes: tally.pulledBytes + pulledBytes,
    // the clock may have been set back between two runs
    lastSuccess: success === null ? tally.lastSuccess : Math.max(success, tally.lastSuccess ?? 0),
  }
}

function isSuccess(run: RunState): boolean {
  return isCommittedRun(run) && run.outcome !== 'partial'
}

function failureOf(run: RunState): string | null {
  if (isSuccess(run) || run.outcome === 'prefetched') return null
  const last = run.problems.filter(isError).at(-1)
  return (run.outcome === 'stuck' ? last : (run.unwinding ?? last))?.code ?? null
}

function plusOne(counts: Record<string, number>, key: string): Record<string, number> {
  return { ...counts, [key]: (counts[key] ?? 0) + 1 }
}
