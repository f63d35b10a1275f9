import type { RunningContainer } from '../../core/docker/second-node.ts'
import { AgentError, type Problem } from '../../core/errors.ts'
import { awaitRestored } from '../gate/await-restored.ts'
import type { Trial } from '../gate/readings.ts'
import type { StepContext, StepResult } from '../step.ts'
import { openDialling } from '../window/dial-guard.ts'
import { releaseRoutes } from '../window/held-routes.ts'

interface Left {
  /** Of the container that is not started beside it. */
  name: string
  trial: Trial
  fix: string
}

/** Someone else's calico/node is running: it stays, whatever its sessions do, and nothing is started beside it. */
export async function leaveToForeignNode(
  foreign: RunningContainer,
  { name, trial, fix }: Left,
  context: StepContext,
): Promise<StepResult> {
  const restored = await awaitRestored(trial, context).catch((error: unknown) => {
    if (!(error instanceof AgentError) || error.code !== 'not-restored') throw error
    return { window: null, problems: [{ ...error.asProblem(), severity: 'warning' as const }] }
  })
  await Promise.all([releaseRoutes(context), openDialling(context)])
  return { ...restored, problems: [...(restored.problems ?? []), leftAlone(foreign, name, fix)] }
}

function leftAlone(foreign: RunningContainer, name: string, fix: string): Problem {
  return {
    code: 'left-to-another',
    severity: 'warning',
    message: `${foreign.name} (${foreign.id.slice(0, 12)}), which another process created during the run, is now the calico/node of this host; the old ${name} was not started beside it`,
    fix,
  }
}
