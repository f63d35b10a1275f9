import { isError } from '../core/errors.ts'
import type { Plan } from '../core/plan/plan.ts'
import type { WindowReport } from '../core/report/report.ts'
import { RUN_OUTCOMES, type Tally } from '../core/report/run-figures.ts'
import { isCommittedRun, type RunState } from './run-state.ts'

export const noRuns: Tally = {
  runs: Object.fromEntries(RUN_OUTCOMES.map((outcome) => [outcome, 0])),
  failures: {},
  pulledBytes: 0,
  lastSuccess: null,
}

/** What is counted of a run; a run that has ended, and is not stuck, keeps it. */
export interface RunResult extends Pick<RunState, 'order' | 'outcome' | 'settled' | 'pulledBytes'> {
  run: string
  command: Plan['command']
  /** In unix seconds. */
  startedAt: number
  window: WindowReport | null
  failure: string | null
  success: number | null
}

export function resultOf(state: RunState): RunResult {
  const { plan, order, outcome, settled, endedAt, pulledBytes, window } = state
  const success = isSuccess(state) && endedAt !== null ? Date.parse(endedAt) / 1000 : null
  return {
    ...{ run: plan.run, command: plan.command, order, startedAt: Date.parse(state.startedAt) / 1000 },
    ...{ outcome, settled, pulledBytes, window, failure: failureOf(state), success },
  }
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
