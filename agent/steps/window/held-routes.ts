import { AgentError } from '../../core/errors.ts'
import type { StepContext } from '../step.ts'

/** A safety net for the swap: if it cannot be set up, the swap continues without it, with a warning. */
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
