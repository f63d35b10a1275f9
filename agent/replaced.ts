import type { ReplacedPlugins } from './core/back-plan.ts'
import { keptPaths } from './core/cni-plan.ts'
import type { ObservedImage, ObservedNode } from './core/model.ts'
import type { OldContainer } from './core/plan.ts'
import type { Leftovers } from './core/plan-part.ts'
import { isCommittedRun, type RunState } from './journal/run-state.ts'
import type { KnownContent } from './observe/cni-binaries.ts'
import type { StepBefore } from './steps/step.ts'

/** The container that a committed run replaced. */
export function replacedBy({ plan }: RunState): OldContainer | null {
  for (const step of plan.steps)
    if (step.kind === 'swap-container' || step.kind === 'swap-unit') return step.args.old
  return null
}

type SwappedPlugins = Pick<ReplacedPlugins, 'run' | 'binDir' | 'binaries'>

/** The plugins that a run replaced; null where it replaced none. */
export function swappedPlugins({ plan, steps }: RunState): SwappedPlugins | null {
  const index = plan.steps.findIndex(({ kind }) => kind === 'swap-binaries')
  const step = plan.steps[index]
  const before = steps[index]?.before as StepBefore['swap-binaries'] | undefined
  if (step?.kind !== 'swap-binaries' || before === undefined) return null
  return { run: plan.run, binDir: step.args.binDir, binaries: before.binaries }
}

/**
 * What the next commit may remove: the containers that earlier runs parked, and the images they replaced beyond
 * the `keepImages` newest. What runs now and what it is replaced with stay; nothing goes where neither changes.
 */
export function leftoversOf(
  history: RunState[],
  keepImages: number,
  { node, image }: { node: Pick<ObservedNode, 'container'> | null; image: Pick<ObservedImage, 'ref'> | null },
  kept: string[] = [],
): Leftovers {
  const files = keptFiles(history)
  if (!node || !image) return { containers: [], images: [], files }
  const replaced = history.filter(isCommittedRun).flatMap((run) => replacedBy(run) ?? [])
  // the one that is replaced now is the newest way back
  const images = new Set([node.container.Config.Image, ...replaced.map(({ image: ref }) => ref)])
  images.delete(image.ref)
  const inUse = [node.container.Id, ...kept]
  return {
    containers: replaced.map(({ id }) => id).filter((id) => !inUse.includes(id)),
    images: [...images].slice(keepImages),
    files,
  }
}

/** The plugins that committed runs kept, and no later one removed. */
function keptFiles(history: RunState[]): string[] {
  const steps = history.filter(isCommittedRun).flatMap(({ plan }) => plan.steps)
  const removed = new Set(steps.flatMap((step) => (step.kind === 'clean-up' ? (step.args.files ?? []) : [])))
  const kept = steps.flatMap((step) => (step.kind === 'swap-binaries' ? keptPaths(step.args) : []))
  return kept.filter((path) => !removed.has(path))
}

/** What the plugins of an image are, as earlier runs read them out of it. */
export function knownContent(history: RunState[]): KnownContent {
  const swaps = history.flatMap(({ plan, steps }) =>
    plan.steps.flatMap(({ kind }, i) => (kind === 'swap-binaries' ? [steps[i]?.before] : [])),
  ) as (StepBefore['swap-binaries'] | undefined)[]
  return (imageId, names) => {
    for (const swap of swaps.filter((one) => one?.image === imageId)) {
      const found = names.flatMap((name) => swap?.binaries.find((one) => one.name === name) ?? [])
      if (found.length === names.length) return found.map(({ name, sha256 }) => ({ name, sha256 }))
    }
    return null
  }
}
