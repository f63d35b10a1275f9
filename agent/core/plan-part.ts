import type { Change, Component, ContainerCommit, Plan, PlannedStep } from './plan.ts'
import type { DiffEntry } from './report.ts'

/** What one component adds to a plan; no steps where it is as asked already. */
export interface PlanPart {
  component: Component
  change: Change
  /** Before anything that runs is touched. */
  prepare: PlannedStep[]
  move: PlannedStep[]
  commits: ContainerCommit[]
  /** Files that its way back needs until the commit only. */
  kept?: string[]
  diff: DiffEntry[]
}

/** What an earlier commit left behind, as far as retention no longer keeps it. */
export interface Leftovers {
  containers: string[]
  images: string[]
  /** Plugins that earlier runs kept. */
  files: string[]
}

export interface PlannedChange {
  plan: Plan
  diff: DiffEntry[]
}

/**
 * The plan of all parts, in their order: everything is prepared before the first of them moves, and one commit ends
 * the run for all. No steps where no part has any.
 */
export function joinParts(
  head: Pick<Plan, 'run' | 'command'>,
  parts: PlanPart[],
  leftovers: Leftovers,
): PlannedChange {
  const components = Object.fromEntries(parts.map(({ component, change }) => [component, change]))
  const moving = parts.filter(({ prepare, move }) => prepare.length + move.length > 0)
  return {
    plan: { ...head, components, steps: stepsOf(moving, leftovers) },
    diff: moving.flatMap(({ diff }) => diff),
  }
}

function stepsOf(parts: PlanPart[], leftovers: Leftovers): PlannedStep[] {
  const [first] = parts
  if (!first) return []
  const { component } = first
  return [
    ...parts.flatMap(({ prepare }) => prepare),
    ...parts.flatMap(({ move }) => move),
    { kind: 'commit', component, args: { containers: parts.flatMap(({ commits }) => commits) } },
    ...cleanUpSteps(parts, leftovers),
  ]
}

/** Plugins that earlier runs kept go only where newer ones are kept. */
function cleanUpSteps(parts: PlanPart[], { containers, images, files: earlier }: Leftovers): PlannedStep[] {
  const keepsPlugins = parts.some(({ component }) => component === 'cni')
  const files = [...parts.flatMap(({ kept = [] }) => kept), ...(keepsPlugins ? earlier : [])]
  if (containers.length + images.length + files.length === 0) return []
  const args = { containers, images, ...(files.length > 0 && { files }) }
  return [{ kind: 'clean-up', component: parts[0]?.component ?? 'node', args }]
}
