import { AgentError } from '../../core/errors.ts'
import type { StepContext } from '../step.ts'

/** A net below the swap: where it cannot be spread, the swap goes on without it, and that is said. */
export async function holdRoutes(context: StepContext): Promise<void> {
  await orWarn(context, () => context.routes.hold())
}

export async function releaseRoutes(context: StepContext): Promise<void> {
  await orWarn(context, () => context.routes.release())
}

/** Whether it was done. */
export async function orWarn({ emit }: StepContext, work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work()
    return true
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
    emit({ type: 'problem', problem: { ...error.asProblem(), severity: 'warning' } })
    return false
  }
}
