import type { RunningContainer } from '../core/docker/second-node.ts'
import { AgentError, type Problem } from '../core/errors.ts'
import type { OldContainer } from '../core/plan/plan.ts'
import { openDialling } from './dial-guard.ts'
import { releaseRoutes } from './held-routes.ts'
import type { Trial } from './look.ts'
import { awaitRestored } from './restored.ts'
import type { StepContext, StepResult } from './step.ts'

/**
 * Somebody else's calico/node runs by now: it stays, whatever its sessions do, and the old one neither starts beside it
 * nor comes back at a boot.
 */
export async function leftTo(
  { name }: RunningContainer,
  { old, trial }: { old: OldContainer; trial: Trial },
  context: StepContext,
): Promise<StepResult> {
  const { docker } = context
  if (await docker.inspectContainer(old.id)) await docker.setRestartPolicy(old.id, { Name: 'no' })
  const restored = await awaitRestored(trial, context).catch((error: unknown) => {
    if (!(error instanceof AgentError) || error.code !== 'not-restored') throw error
    return { window: null, problems: [{ ...error.asProblem(), severity: 'warning' as const }] }
  })
  await Promise.all([releaseRoutes(context), openDialling(context)])
  return { ...restored, problems: [...(restored.problems ?? []), leftAlone(name, old)] }
}

function leftAlone(name: string, { name: oldName, id }: OldContainer): Problem {
  return {
    code: 'left-to-another',
    severity: 'warning',
    message: `${name}, which somebody else made in the middle of the run, is the calico/node of this host now; the old ${oldName} was not started beside it`,
    fix: `agent status; docker rm ${id.slice(0, 12)} where the old container is still there`,
  }
}
