import { nameOfContent } from '../docker/image-ref.ts'
import type { ObservedControllers } from '../model.ts'
import { redactAssignments } from '../redact/redact.ts'
import type { DiffEntry } from '../report/report.ts'
import { type FileEdit, type UnitChange, type UnitRefusal, unitChange } from '../unit/change.ts'

/** A container, the image that it was made from, and the unit that runs it, where one does. */
export type KeptContainer = Pick<ObservedControllers, 'container' | 'image' | 'unit'>

/** How the unit of a container is brought to an image, or why it is not; null where no unit runs it. */
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

/** The same behind the preflight. */
export function plannedChange(running: KeptContainer, run: string, to: string): UnitChange {
  const change = unitChangeOf(running, run, to)
  if (change && 'unit' in change) return change
  throw new Error('internal error: the preflight lets no unit through that cannot be changed')
}

export function unitDiff({ edit }: UnitChange): DiffEntry[] {
  return edit === null ? [] : [fileDiff(edit)]
}

function fileDiff({ path, before, after }: FileEdit): DiffEntry {
  return { target: path, before: redactAssignments(before ?? ''), after: redactAssignments(after ?? '') }
}
