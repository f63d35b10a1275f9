import type { Leftovers } from './core/build-plan.ts'
import type { OldContainer } from './core/plan.ts'
import { isCommittedRun, type RunState } from './journal/run-state.ts'

/** The container that a committed run replaced. */
export function replacedBy({ plan }: RunState): OldContainer | null {
  for (const step of plan.steps) if (step.kind === 'swap-container') return step.args.old
  return null
}

/** What the next run works with: the containers by id, the images by reference. */
export interface InUse {
  containers: string[]
  /** The one that is replaced now: the newest way back. */
  replacedImage: string
  nextImage: string
}

/**
 * What the next commit may remove: the containers that earlier runs parked, and the images they replaced beyond
 * the `keepImages` newest.
 */
export function leftoversOf(history: RunState[], keepImages: number, inUse: InUse): Leftovers {
  const replaced = history.filter(isCommittedRun).flatMap((run) => replacedBy(run) ?? [])
  const images = new Set([inUse.replacedImage, ...replaced.map(({ image }) => image)])
  images.delete(inUse.nextImage)
  return {
    containers: replaced.map(({ id }) => id).filter((id) => !inUse.containers.includes(id)),
    images: [...images].slice(keepImages),
  }
}
