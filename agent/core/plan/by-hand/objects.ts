import { refOf, refText } from '../../kubernetes/manifest.ts'
import type { StepArgs } from '../plan.ts'

/** What the pods of before did not need does them no harm. */
export function objectLines({ path, objects }: StepArgs['apply-objects']): string[] {
  const changed = objects.filter(({ before }) => before !== null)
  const names = changed.map(({ object }) => refText(refOf(object)))
  if (names.length === 0) return []
  return [
    `${path} changed ${names.join(', ')}; to restore one: kubectl edit KIND NAME; the journal has it as it was, at before`,
  ]
}
