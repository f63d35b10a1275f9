import { AgentError, ExitCode } from '../core/errors.ts'
import type { OldContainer } from '../core/plan/plan.ts'
import { failingExec } from './health.ts'
import { logTail } from './log-tail.ts'
import { isRunning } from './running.ts'
import type { StepContext, StepResult } from './step.ts'

const POLL_MS = 500
/** From its start until the datastore and the API have been read once. */
const READY_MS = 60_000
/** One that cannot use its settings ends within this. */
const LEAST_SETTLE_MS = 5_000

/**
 * Waits until new controllers are ready and have stayed so.
 * @throws AgentError `controllers-failed`
 */
export async function untilHealthy(
  id: string,
  check: string[] | null,
  settleMs: number,
  context: StepContext,
): Promise<void> {
  const { docker, clock, signal } = context
  const since = clock.now()
  const settledAfter = Math.max(settleMs, LEAST_SETTLE_MS)
  let goodSince: number | null = null
  for (;;) {
    if (!(await isRunning(id, docker))) throw gateFailed('it does not stay up', await logTail(docker, id))
    const failing = check === null ? null : await failingExec(id, check, docker)
    const now = clock.now()
    goodSince = failing === null ? (goodSince ?? now) : null
    if (goodSince !== null && now - goodSince >= settledAfter) return
    if (now - since > READY_MS + settledAfter)
      throw gateFailed(failing ?? 'it does not stay healthy', await logTail(docker, id))
    await clock.sleep(POLL_MS, signal)
  }
}

/**
 * How long none ran, by Docker's own times, which outlive a death of the agent; from the step's `since` on where the
 * old one was removed. Nothing where that cannot be told: a boot came between.
 */
export async function downTime(
  oldId: string,
  newId: string,
  { docker, since, clock }: StepContext,
): Promise<StepResult> {
  const [old, next] = await Promise.all([docker.inspectContainer(oldId), docker.inspectContainer(newId)])
  const goneAt = old ? Date.parse(old.State.FinishedAt) : clock.date().getTime() - (clock.now() - since)
  const downMs = Date.parse(next?.State.StartedAt ?? '') - goneAt
  return downMs >= 0 ? { downMs: Math.round(downMs) } : {}
}

export function gateFailed(why: string, said = ''): AgentError {
  return new AgentError('controllers-failed', `cannot keep the new controllers: ${why}${said}`, {
    fix: 'mend the image or its settings, then run the upgrade again',
  })
}

export function notRestored({ name }: Pick<OldContainer, 'name'>): AgentError {
  return new AgentError('not-restored', `cannot bring ${name} back: it does not stay up`, {
    fix: `docker logs ${name} shows why`,
    exitCode: ExitCode.stuck,
  })
}
