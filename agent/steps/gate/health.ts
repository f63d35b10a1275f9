import { felixProcess } from '../../core/docker/felix.ts'
import { checkText, type HealthCheck } from '../../core/docker/health.ts'
import { messageOf } from '../../core/message-of.ts'
import type { Docker } from '../../ports/docker.ts'
import type { StepContext } from '../step.ts'

const EXEC_TIMEOUT_MS = 10_000

/** Why the check fails in the container, as text; null if it passes. Never rejects. */
export async function failingCheck(
  check: HealthCheck,
  container: string,
  { docker, probe }: Pick<StepContext, 'docker' | 'probe'>,
): Promise<string | null> {
  try {
    if (check.kind === 'exec') return await failingExec(container, check.argv, docker)
    const status = await probe.httpStatus(check.url)
    // Felix answers 204 up to v3.25, and may answer 200 after it
    return status !== null && status >= 200 && status < 300
      ? null
      : `${checkText(check)} returns ${status ?? 'no status'}`
  } catch (error) {
    return `${checkText(check)} does not answer: ${messageOf(error)}`
  }
}

/** Why the command fails in the container, as text; null if it passes. Never rejects. */
export async function failingExec(container: string, argv: string[], docker: Docker): Promise<string | null> {
  const command = argv.join(' ')
  try {
    const { exitCode, output } = await docker.exec(container, argv, EXEC_TIMEOUT_MS)
    return exitCode === 0 ? null : `${command} exits with code ${exitCode}: ${output.trim().slice(0, 200)}`
  } catch (error) {
    return `cannot run ${command}: ${messageOf(error)}`
  }
}

/** Process id of the container's Felix, `none` if it has none, null if that is not known. Never rejects. */
export async function lookAtFelix(
  container: string,
  { docker }: Pick<StepContext, 'docker'>,
): Promise<number | 'none' | null> {
  try {
    return felixProcess(await docker.processes(container)) ?? 'none'
  } catch {
    return null
  }
}
