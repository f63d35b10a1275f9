import type { ObservedImage, ObservedNode } from './core/model.ts'
import type { OldContainer } from './core/plan.ts'
import type { Leftovers } from './core/plan-part.ts'
import { isCommittedRun, type RunState } from './journal/run-state.ts'

/** The container that a committed run replaced. */
export function replacedBy({ plan }: RunState): OldContainer | null {
  for (const step of plan.steps)
    if (step.kind === 'swap-container' || step.kind === 'swap-unit') return step.args.old
  return null
}

/**
 * What the next commit may remove: the containers that earlier runs parked, and the images they replaced beyond
 * the `keepImages` newest. What runs now and what it is replaced with stay; nothing goes where neither changes.
 */
export function leftoversOf(
  history: RunState[],
  keepImages: number,
  { node, image }: { node: ObservedNode | null; image: Pick<ObservedImage, 'ref'> | null },
  kept: string[] = [],
): Leftovers {
  if (!node || !image) return { containers: [], images: [] }
  const replaced = history.filter(isCommittedRun).flatMap((run) => replacedBy(run) ?? [])
  // the one that is replaced now is the newest way back
  const images = new Set([node.container.Config.Image, ...replaced.map(({ image: ref }) => ref)])
  images.delete(image.ref)
  const inUse = [node.container.Id, ...kept]
  return {
    containers: replaced.map(({ id }) => id).filter((id) => !inUse.includes(id)),
    images: [...images].slice(keepImages),
  }
}
