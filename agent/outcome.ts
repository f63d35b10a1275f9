import { settleByHand } from './core/by-hand.ts'
import { type AgentError, ExitCode, type Problem } from './core/errors.ts'
import type { Plan } from './core/plan.ts'
import type { DiffEntry, Outcome, Report } from './core/report.ts'
import type { RunState } from './journal/run-state.ts'
import { bindStep } from './steps/registry.ts'

/** The report of a journaled run; `journal` is its file, for an operator who must finish by hand. */
export function reportOf(
  { plan, steps, window, problems, outcome, unwinding }: RunState,
  journal: string,
): Report {
  // A run that is still open is for agent resume, and says so itself.
  const byHand = outcome === 'stuck' ? settleByHand(plan, journal) : null
  return {
    schema: 1,
    run: plan.run,
    outcome: outcome ?? 'stuck',
    changed: unwinding === null && outcome !== 'stuck',
    components: plan.components,
    steps: plan.steps.map((step, i) => ({
      kind: step.kind,
      component: step.component,
      summary: bindStep(step).summary,
      status: steps[i]?.status ?? 'pending',
      ms: steps[i]?.ms ?? 0,
    })),
    window,
    diff: [],
    problems: byHand === null ? problems : [...problems, stuck(plan.run, byHand)],
  }
}

function stuck(run: string, fix: string): Problem {
  return { code: 'stuck', severity: 'error', message: `run ${run} needs an operator`, fix }
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
    diff,
    problems,
  }
}

/** The report of what ended before there was one. */
export function reportOfError(error: AgentError): Report {
  return unstarted(outcomeOfError(error), null, error.asProblems())
}

function outcomeOfError({ exitCode }: AgentError): Outcome {
  if (exitCode === ExitCode.deferred) return 'deferred'
  return exitCode === ExitCode.stuck ? 'stuck' : 'refused'
}

/** The host is as asked (0), as before (3, 4), or needs somebody (5). */
export function exitCodeOf({ outcome, changed }: Report): ExitCode {
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
    case 'stuck':
      return ExitCode.stuck
    case 'deferred':
      return ExitCode.deferred
  }
}
