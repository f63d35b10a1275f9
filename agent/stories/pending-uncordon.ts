import type { Problem } from '../core/errors.ts'
import type { RunState } from '../journal/run-state.ts'
import { uncordonOrPending } from '../steps/cordon/uncordon.ts'
import type { App } from './app.ts'
import { copiedProblem } from './copied-journal.ts'

/** A run that ended while the API server was down, and left the Node cordoned. */
export function isUncordonPending({ outcome, uncordonPending }: RunState): boolean {
  return outcome !== null && uncordonPending
}

/** Uncordons what earlier runs could not. Returns why it still cannot be done. */
export async function finishUncordons(app: App): Promise<Problem[]> {
  const runs = (await app.runs.history()).filter(isUncordonPending)
  const problems: Problem[] = []
  for (const run of runs) problems.push(...(await finishUncordon(run, app)))
  return problems
}

async function finishUncordon(run: RunState, app: App): Promise<Problem[]> {
  const cordon = run.plan.steps.find((step) => step.kind === 'cordon')
  if (!cordon || (await copiedProblem(run, app).catch(() => null))) return []
  const { uncordonPending, problems = [] } = await uncordonOrPending(cordon.args, app.ports)
  if (uncordonPending) return problems
  const journal = await app.runs.reopen(run.plan.run)
  try {
    await journal.append({ type: 'uncordoned' })
  } finally {
    await journal.close()
  }
  return []
}
