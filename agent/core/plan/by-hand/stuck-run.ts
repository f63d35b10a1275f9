import type { PlannedStep, StepKind } from '../plan.ts'

/** What the lines of a step may refer to in addition to its arguments. */
export interface StuckRun {
  steps: PlannedStep[]
  /** The file of its journal. */
  journal: string
}

/** A text of a step's arguments, as the journal's first record has it. */
export function journaled({ journal }: StuckRun, kind: StepKind, field: string): string {
  return `cut -c10- ${journal} | head -1 | jq -j '.plan.steps[] | select(.kind=="${kind}").args.${field}'`
}
