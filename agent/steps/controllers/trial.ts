import type { ContainerJson } from '../../core/docker/json.ts'
import { upMs } from '../../core/docker/up-time.ts'
import { AgentError, ExitCode } from '../../core/errors.ts'
import type { OldContainer } from '../../core/plan/plan.ts'
import type { Docker, ExecResult } from '../../ports/docker.ts'
import { logTail } from '../container/log-tail.ts'
import { ASK_AGAIN_MS, askAgain } from '../gate/ask-again.ts'
import { failingExec } from '../gate/health.ts'
import type { StepContext } from '../step.ts'

const POLL_MS = 500
/** From its start until the datastore and the API have been read once. */
const READY_MS = 60_000
/** kube-controllers try their datastore for 10 s, then exit (cmd/kube-controllers/main.go). */
const LEAST_SETTLE_MS = 12_000

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
  const settledAfter = settleTime(settleMs)
  let goodSince: number | null = null
  for (;;) {
    const found = await docker.inspectContainer(id)
    if (found?.State.Running !== true) throw gateFailed('it does not stay up', await logTail(docker, id))
    const failing = check === null ? null : await notReady(found, check, docker)
    const now = clock.now()
    goodSince = failing === null ? (goodSince ?? now) : null
    if (goodSince !== null && now - goodSince >= settledAfter) return
    if (now - since > READY_MS + settledAfter)
      throw gateFailed(failing ?? 'it does not stay healthy', await logTail(docker, id))
    await clock.sleep(POLL_MS, signal)
  }
}

/** How long they must stay well. */
export function settleTime(settleMs: number): number {
  return Math.max(settleMs, LEAST_SETTLE_MS)
}

/** Why it is not ready, as text; null if it is. */
async function notReady(container: ContainerJson, check: string[], docker: Docker): Promise<string | null> {
  const failing = await failingExec(container.Id, check, docker)
  if (failing !== null) return failing
  const isOld = await saysOfBefore(container, docker)
  return isOld ? `${check.join(' ')} passes because of a file from before it started` : null
}

/**
 * `check-status` trusts a file that stays in the container's layer: a parked one that is started again looks ready by
 * what it wrote before it was stopped. So the file must be newer than the container's last end, or its creation.
 */
async function saysOfBefore({ Id, Config, Created, State }: ContainerJson, docker: Docker): Promise<boolean> {
  const places = new Set(
    ['/status', Config.WorkingDir || '/'].map((dir) => `${dir.replace(/\/$/, '')}/status.json`),
  )
  const files = await Promise.all([...places].map((path) => docker.containerFileTail(Id, path)))
  const written = files.flatMap((file) => (file === undefined ? [] : [Date.parse(file.modifiedAt)]))
  const began = [State.FinishedAt, Created].map((at) => Date.parse(String(at))).filter((at) => at > 0)
  return written.length > 0 && Math.max(...written) < Math.max(0, ...began)
}

/** How Docker reports an exec of a program that does not exist. */
const NO_SUCH_PROGRAM = [126, 127]
const EXEC_TIMEOUT_MS = 10_000
/** One that was started just now is not ready yet. */
const NEW_MS = 20_000

/**
 * The check that the new ones must pass: with health reports off (`HEALTH_ENABLED=false`) no check ever passes, in the old ones
 * as well. An image without the program says nothing.
 */
export async function passedCheck(
  oldId: string | undefined,
  check: string[] | null,
  context: StepContext,
): Promise<string[] | null> {
  if (check === null || oldId === undefined) return check
  const { docker, clock, emit } = context
  const ask = () => docker.exec(oldId, check, EXEC_TIMEOUT_MS).catch(() => undefined)
  const old = await docker.inspectContainer(oldId)
  const up = (old && upMs(old, clock.date())) ?? NEW_MS
  const limitMs = Math.max(ASK_AGAIN_MS, NEW_MS - up)
  const answer = await askAgain(ask, (one) => !isFailure(one), limitMs, context)
  if (!isFailure(answer)) return check
  const said = `${check.join(' ')} exits with code ${answer.exitCode}: ${answer.output.trim().slice(0, 200)}`
  emit({ type: 'problem', problem: noGate(said) })
  return null
}

function isFailure(answer: ExecResult | undefined): answer is ExecResult {
  return answer !== undefined && answer.exitCode !== 0 && !NO_SUCH_PROGRAM.includes(answer.exitCode)
}

function noGate(said: string) {
  return {
    code: 'health-check-failing',
    severity: 'warning' as const,
    message: `the old controllers do not pass their health check, so the gate does not require it of the new ones: ${said}`,
    fix: 'check why it fails; HEALTH_ENABLED=false, or healthChecks in the KubeControllersConfiguration, disables it',
  }
}

export function gateFailed(why: string, said = ''): AgentError {
  return new AgentError('controllers-failed', `cannot keep the new controllers: ${why}${said}`, {
    fix: 'fix the image or its settings, then run the upgrade again',
  })
}

export function notRestored({ name }: Pick<OldContainer, 'name'>): AgentError {
  return new AgentError('not-restored', `cannot restore ${name}: it does not stay up`, {
    fix: `docker logs ${name} shows why`,
    exitCode: ExitCode.stuck,
  })
}
