import { AgentError } from '../../core/errors.ts'
import { nodeLogTail } from '../container/log-tail.ts'
import type { StepContext, StepResult } from '../step.ts'
import { openDialling } from '../window/dial-guard.ts'
import { releaseRoutes } from '../window/held-routes.ts'
import { describeUnmet, type TrialResult } from './gate.ts'

/**
 * The end of a new container's trial: releases what was held for the window, or reports from its logs why it is not kept.
 * @throws AgentError `gate-failed`
 */
export async function endOfTrial(
  trial: TrialResult,
  container: string,
  context: StepContext,
): Promise<StepResult> {
  if (trial.passed) {
    await Promise.all([releaseRoutes(context), openDialling(context)])
    return { window: trial.window, problems: trial.problems }
  }
  const why = `${trial.why}${describeUnmet(trial.unmet)}`
  const said = await nodeLogTail(context.docker, container, why)
  throw new AgentError('gate-failed', `cannot keep the new container: ${why}${said}`, {
    fix: 'fix the image or the configuration, then run the upgrade again',
  })
}
