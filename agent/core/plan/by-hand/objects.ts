import { refOf, refText } from '../../kubernetes/manifest.ts'
import type { StepArgs } from '../plan.ts'

/** Objects that the run created are not listed: the old pods do not use them. */
export function objectLines({ path, objects }: StepArgs['apply-objects']): string[] {
  const changed = objects.filter(({ before }) => before !== null)
  const names = changed.map(({ object }) => refText(refOf(object)))
  if (names.length === 0) return []
  return [
    `${path} changed ${names.join(', ')}; to restore one: kubectl -n NAMESPACE edit KIND NAME; its old text is in the journal, in the field before`,
  ]
}
