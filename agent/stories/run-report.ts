import { type AgentError, ExitCode, type Problem } from '../core/errors.ts'
import { settleByHand } from '../core/plan/by-hand/by-hand.ts'
import type { Change, Component, Plan } from '../core/plan/plan.ts'
import type { CordonReport, DiffEntry, Outcome, Report } from '../core/report/report.ts'
import { isSettled } from '../journal/commits.ts'
import type { RunState } from '../journal/run-state.ts'
import { bindStep } from '../steps/registry.ts'
import type { StepBefore } from '../steps/step.ts'

/** The report of a journaled run; `journal` is its file, for an operator who must finish by hand. */
export function reportOf(state: RunState, journal: string): Report {
  const { plan, steps, window, controllersDownMs, problems, outcome, unwinding } = state
  // A run that is still open is for calico-agent resume, and says so itself.
  const byHand = outcome === 'stuck' ? settleByHand(unsettled(state), journal) : null
  return {
    schema: 1,
    run: plan.run,
    outcome: outcome ?? 'stuck',
    changed: outcome === 'partial' || (unwinding === null && outcome !== 'stuck'),
    components: outcome === 'partial' ? componentsOf(state) : plan.components,
    steps: plan.steps.map((step, i) => ({
      kind: step.kind,
      component: step.component,
      summary: bindStep(step).summary,
      status: steps[i]?.status ?? 'pending',
      ms: steps[i]?.ms ?? 0,
    })),
    window,
    controllersDownMs,
    kubernetes: cordonReport(state),
    diff: [],
    problems: byHand === null ? problems : [...problems, stuck(plan.run, byHand)],
  }
}

function cordonReport({ plan, steps, uncordonPending }: RunState): CordonReport | null {
  const at = plan.steps.findIndex(({ kind }) => kind === 'cordon')
  const step = plan.steps[at]
  if (step?.kind !== 'cordon') return null
  const before = steps[at]?.before as StepBefore['cordon'] | undefined
  return { node: step.args.node, cordonedBy: before?.cordoned ? before.by : null, uncordonPending }
}

/** The failure of a later part does not affect what is committed: only the rest must be settled by hand. */
function unsettled(state: RunState): Plan {
  const steps = state.plan.steps.filter(({ component }) => !isSettled(state, component))
  return steps.length === 0 ? state.plan : { ...state.plan, steps }
}

function componentsOf(state: RunState): Report['components'] {
  const changes = Object.entries(state.plan.components) as [Component, Change][]
  return Object.fromEntries(
    changes.map(([component, change]) => [
      component,
      { ...change, ...(isUndone(state, component) && { rolledBack: true as const }) },
    ]),
  )
}

function isUndone(state: RunState, component: Component): boolean {
  return state.plan.steps.some((step) => step.component === component) && !isSettled(state, component)
}

function stuck(run: string, fix: string): Problem {
  return { code: 'stuck', severity: 'error', message: `run ${run} is stuck: repair this host by hand`, fix }
}

/** The report of a run that never began: its plan, as far as there is one. */
export function unstarted(
  outcome: Outcome,
  plan: Plan | null,
  problems: Problem[],
  diff: DiffEntry[] = [],
): Report {
  const steps = plan?.steps.map((step) => ({
    kind: step.kind,
    component: step.component,
    summary: bindStep(step).summary,
    status: 'pending' as const,
    ms: 0,
  }))
  return {
    schema: 1,
    run: null,
    outcome,
    changed: outcome === 'planned' && (steps?.length ?? 0) > 0,
    components: plan?.components ?? {},
    steps: steps ?? [],
    window: null,
    controllersDownMs: null,
    kubernetes: null,
    diff,
    problems,
  }
}

/** The report of a command that ended before there was a run. */
export function reportOfError(error: AgentError): Report {
  return unstarted(outcomeOfError(error), null, error.asProblems())
}

function outcomeOfError({ exitCode }: AgentError): Outcome {
  if (exitCode === ExitCode.deferred) return 'deferred'
  return exitCode === ExitCode.stuck ? 'stuck' : 'refused'
}

/** A report describes a run, or no run: not a bug, and not bad usage. */
type RunExitCode = Exclude<ExitCode, typeof ExitCode.bug | typeof ExitCode.usage>

/** The host is as requested (0), as before (3, 4; except for what a partial run committed), or needs an operator (5). */
export function exitCodeOf({ outcome, changed }: Report): RunExitCode {
  switch (outcome) {
    case 'unchanged':
    case 'planned':
    case 'prefetched':
    case 'upgraded':
      return ExitCode.done
    case 'rolled-back':
      return changed ? ExitCode.done : ExitCode.rolledBack
    case 'refused':
      return ExitCode.refused
    case 'partial':
      return ExitCode.rolledBack
    case 'stuck':
      return ExitCode.stuck
    case 'deferred':
      return ExitCode.deferred
  }
}
