import type { Component, PlannedStep } from '../core/plan/plan.ts'
import type { RunState } from './run-state.ts'

type Progress = Pick<RunState, 'plan' | 'steps' | 'unwoundCommit'>

/** A commit of the run is in effect, with what this component changed: none of that is undone any more. */
export function isSettled({ plan, steps, unwoundCommit }: Progress, component: Component): boolean {
  return plan.steps.some(
    (step, at) =>
      step.kind === 'commit' &&
      steps[at]?.status === 'verified' &&
      at !== unwoundCommit &&
      (step.args.parts?.includes(component) ?? true),
  )
}

/** Part of the run stays, whatever happens to the others. */
export function isAnySettled(state: Progress): boolean {
  return state.plan.steps.some(({ component }) => isSettled(state, component))
}

/** In the middle of a commit, and after the last one, a failure undoes nothing. */
export function isForwardOnly({ plan, steps }: Progress): boolean {
  const commits = [...plan.steps.entries()].filter(([, step]) => isCommit(step)).map(([at]) => steps[at])
  const begun = commits.filter((commit) => commit?.doing !== undefined)
  return begun.length > 0 && (begun.length === commits.length || begun.at(-1)?.status !== 'verified')
}

/** The step of the commit that the run is in, or right after. */
export function lastCommit(state: Progress): number | undefined {
  const last = touchedSteps(state).at(-1)
  const step = last === undefined ? undefined : state.plan.steps[last]
  return step && isCommit(step) ? last : undefined
}

/** Steps whose `do` was begun, in this process or before. */
export function touchedSteps({ steps }: Progress): number[] {
  return [...steps.keys()].filter((index) => steps[index]?.doing)
}

function isCommit({ kind }: PlannedStep): boolean {
  return kind === 'commit'
}
