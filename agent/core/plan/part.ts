import type { DiffEntry } from '../report/report.ts'
import { type Cordon, cordonSteps } from './cordon.ts'
import type { Change, Component, ContainerCommit, Plan, PlannedStep } from './plan.ts'

/** What one component adds to a plan; no steps if it is already as requested. */
export interface PlanPart {
  component: Component
  change: Change
  /** Before anything running is changed. */
  prepare: PlannedStep[]
  move: PlannedStep[]
  commits: ContainerCommit[]
  /** Files that its way back needs only until the commit. */
  kept?: string[]
  /** After the commit; a failure here undoes nothing. */
  after?: PlannedStep[]
  /** It changes after the commit of the others, which stay even if it fails. */
  commitsAlone?: true
  diff: DiffEntry[]
}

/** For a component that is already as requested, under whatever name: there is nothing to change. */
export function unchanged(component: Component, { to }: Change): PlanPart {
  return { component, change: { from: to, to }, prepare: [], move: [], commits: [], diff: [] }
}

/** What an earlier commit left behind and retention no longer keeps. */
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
 * The plan of all parts, in their order: everything is prepared before the first of them changes. One commit settles
 * them all; each part that commits alone has another one. The Node is cordoned from the first change to the commit. No steps if no part has any.
 */
export function joinParts(
  head: Pick<Plan, 'run' | 'command'>,
  parts: PlanPart[],
  leftovers: Leftovers,
  cordon: Cordon | null,
): PlannedChange {
  const components = Object.fromEntries(parts.map(({ component, change }) => [component, change]))
  const moving = parts.filter(({ prepare, move }) => prepare.length + move.length > 0)
  return {
    plan: { ...head, components, steps: stepsOf(moving, leftovers, cordon) },
    diff: moving.flatMap(({ diff }) => diff),
  }
}

function stepsOf(parts: PlanPart[], leftovers: Leftovers, cordon: Cordon | null): PlannedStep[] {
  const together = parts.filter(({ commitsAlone }) => commitsAlone !== true)
  const alone = parts.filter(({ commitsAlone }) => commitsAlone === true).map((part) => [part])
  const groups = [together, ...alone].filter((group) => group.length > 0)
  return [
    ...parts.flatMap(({ prepare }) => prepare),
    ...groups.flatMap((group, i) => {
      const { before, after } = cordonSteps(
        cordon,
        group.map(({ component }) => component),
      )
      return [
        ...before,
        ...group.flatMap(({ move }) => move),
        commitOf(group, groups.length > 1),
        ...after,
        ...group.flatMap((part) => part.after ?? []),
        ...cleanUpSteps(group, i === groups.length - 1 ? leftoversFor(parts, leftovers) : NO_LEFTOVERS),
      ]
    }),
  ]
}

function commitOf(group: PlanPart[], isOneOfSeveral: boolean): PlannedStep {
  const containers = group.flatMap(({ commits }) => commits)
  const parts = group.map(({ component }) => component)
  const args = { containers, ...(isOneOfSeveral && { parts }) }
  return { kind: 'commit', component: parts[0] ?? 'node', args }
}

const NO_LEFTOVERS: Leftovers = { containers: [], images: [], files: [] }

/** Plugins that earlier runs kept are removed only if newer ones are kept. */
function leftoversFor(parts: PlanPart[], leftovers: Leftovers): Leftovers {
  const keepsPlugins = parts.some(({ component }) => component === 'cni')
  return keepsPlugins ? leftovers : { ...leftovers, files: [] }
}

/** Removes what was kept until this commit and, with the last commit, what earlier runs left. */
function cleanUpSteps(group: PlanPart[], { containers, images, files: earlier }: Leftovers): PlannedStep[] {
  const files = [...group.flatMap(({ kept = [] }) => kept), ...earlier]
  if (containers.length + images.length + files.length === 0) return []
  const args = { containers, images, ...(files.length > 0 && { files }) }
  return [{ kind: 'clean-up', component: group[0]?.component ?? 'node', args }]
}
