import { combinedPhase, type DaemonStanding, daemonStanding } from '../core/bird/phase.ts'
import type { BirdEndpoint, BirdView } from '../core/bird/view.ts'
import type { BirdPhase, WindowState } from '../core/bird/window.ts'
import type { HealthCheck } from '../core/docker/health.ts'
import type { Gate } from '../core/plan/plan.ts'
import type { Bird } from '../ports/bird.ts'
import type { Docker } from '../ports/docker.ts'
import type { StepContext } from './step.ts'

/** A container under watch. */
export interface Trial {
  gate: Gate
  container: string
  /** Monotonic ms at which the old BIRD was last alive. */
  goneAt: number
  /** What a BIRD that is silent from the first look on is taken for. */
  unseen?: 'down' | 'recovering'
  /** Ms since then after which peers that are gone are no longer waited for; else in the last moment for it. */
  patienceMs?: number
}

export interface BirdLook {
  phase: BirdPhase
  views: BirdView[]
  standings: DaemonStanding[]
}

const EXEC_TIMEOUT_MS = 10_000

/** One look at all BIRD daemons of the gate; `previous` are the standings of the look before. */
export async function lookAtBird(
  { gate, container, unseen = 'down' }: Trial,
  previous: DaemonStanding[],
  { bird }: Pick<StepContext, 'bird'>,
): Promise<BirdLook> {
  const views = await Promise.all(gate.daemons.map(({ endpoint }) => lookAtDaemon(bird, endpoint, container)))
  const standings = gate.daemons.map(({ baseline }, i) =>
    daemonStanding(views[i] ?? { state: 'down' }, baseline, previous[i]?.phase ?? unseen),
  )
  return { phase: combinedPhase(standings.map(({ phase }) => phase)), views, standings }
}

/** What cannot be read is no reason to kill: it is taken as a BIRD that does not answer. */
async function lookAtDaemon(bird: Bird, endpoint: BirdEndpoint, container: string): Promise<BirdView> {
  try {
    return await bird.look(endpoint, container)
  } catch {
    return { state: 'silent' }
  }
}

export interface ContainerLook {
  state: WindowState['container']
  exitCode: number | null
  /** Docker's own HEALTHCHECK; null where the container has none. */
  health: string | null
}

/** An Engine that does not answer says nothing about the container. */
export async function lookAtContainer(
  container: string,
  { docker }: Pick<StepContext, 'docker'>,
): Promise<ContainerLook> {
  try {
    const found = await docker.inspectContainer(container)
    return {
      state: found?.State.Running === true ? 'running' : 'exited',
      exitCode: found?.State.ExitCode ?? null,
      health: found?.State.Health?.Status ?? null,
    }
  } catch {
    return { state: 'unknown', exitCode: null, health: null }
  }
}

/** In words, which of the offered health checks do not pass. */
export async function failingChecks(
  checks: HealthCheck[],
  container: ContainerLook & { id: string },
  { docker, probe }: Pick<StepContext, 'docker' | 'probe'>,
): Promise<string[]> {
  const failing =
    container.health === null || container.health === 'healthy' ? [] : [`Docker says ${container.health}`]
  for (const check of checks) {
    if (check.kind === 'http') {
      const status = await probe.httpStatus(check.url)
      const isReady = status !== null && status >= 200 && status < 300
      if (!isReady) failing.push(`${check.url} answers ${status ?? 'nothing'}`)
    } else {
      failing.push(...(await failingExec(container.id, check.argv, docker)))
    }
  }
  return failing
}

/** In words, why the command does not pass in the container; empty where it does. */
export async function failingExec(container: string, argv: string[], docker: Docker): Promise<string[]> {
  const command = argv.join(' ')
  try {
    const { exitCode, output } = await docker.exec(container, argv, EXEC_TIMEOUT_MS)
    return exitCode === 0 ? [] : [`${command} exits ${exitCode}: ${output.trim().slice(0, 200)}`]
  } catch (error) {
    return [`${command} cannot be run: ${error instanceof Error ? error.message : String(error)}`]
  }
}
