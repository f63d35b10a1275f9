import { imageVersion } from '../docker/health.ts'
import { nameOfContent, tagOf } from '../docker/image-ref.ts'
import type { ObservedControllers, ObservedImage } from '../model.ts'
import { redactAssignments } from '../redact/redact.ts'
import { askedVersion } from '../release/node-versions.ts'
import type { DiffEntry } from '../report/report.ts'
import { type FileEdit, type UnitChange, type UnitRefusal, unitChange } from '../unit/change.ts'
import { imageAsked, imageBefore, imageDiff, type NextImage, type Replaced } from './container-swap.ts'
import type { OldContainer } from './plan.ts'

/** A container, the image that it was created from, and the unit that runs it, if any. */
export type KeptContainer = Pick<ObservedControllers, 'container' | 'image' | 'unit'>

/** How to change the unit of a container to an image, or why that is not possible; null if no unit runs it. */
export function unitChangeOf(
  { container, image, unit }: KeptContainer,
  run: string,
  to: string | null,
): UnitChange | UnitRefusal | null {
  const named = container.Config.Image
  const tagged = [...(image?.RepoTags ?? []), ...(image?.RepoDigests ?? [])].includes(named)
  // a tag that moved, or is about to, no longer names what runs
  const byContent = image ? nameOfContent(named, image, undefined) : container.Image
  const from = tagged && named !== to ? named : byContent
  return unit && unitChange(unit, container.Name.replace(/^\//, ''), { run, from, to })
}

/** The image that a unit should run. */
export interface UnitAim {
  change: UnitChange
  /** Null where it is not known. */
  version: string | null
  next: NextImage
}

export function aimAsked(running: KeptContainer, run: string, image: ObservedImage): UnitAim {
  const change = plannedChange(running, run, image.ref)
  return { change, version: askedVersion(image), next: imageAsked(image) }
}

/** Back to what an earlier run replaced. */
export function aimBack(running: KeptContainer, run: string, replaced: Replaced): UnitAim {
  const change = plannedChange(running, run, replaced.image)
  return {
    change,
    version: imageVersion(tagOf(replaced.old.image), null),
    next: imageBefore(replaced),
  }
}

/** After the preflight. */
function plannedChange(running: KeptContainer, run: string, to: string): UnitChange {
  const change = unitChangeOf(running, run, to)
  if (change && 'unit' in change) return change
  throw new Error('internal error: the preflight passed a unit that cannot be changed')
}

/** The diff of the unit's file, and of how the image is run. */
export function unitDiff(
  { change: { edit }, next }: UnitAim,
  old: OldContainer,
  running: KeptContainer,
): DiffEntry[] {
  return [...(edit === null ? [] : [fileDiff(edit)]), ...imageDiff(old, running, next)]
}

function fileDiff({ path, before, after }: FileEdit): DiffEntry {
  return { target: path, before: redactAssignments(before ?? ''), after: redactAssignments(after ?? '') }
}
