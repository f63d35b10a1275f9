import type { BirdEndpoint, BirdView, Depth, SessionRow } from '../../core/bird/view.ts'
import type { WindowState } from '../../core/bird/window.ts'
import type { Gate } from '../../core/plan/plan.ts'
import type { StepContext } from '../step.ts'

/** A container under watch. */
export interface Trial {
  gate: Gate
  container: string
  /** Monotonic ms at which the old BIRD was last alive. */
  goneAt: number
  /** The state assumed for a BIRD that is silent from the first look on. */
  unseen?: 'down' | 'recovering'
  /**
   * For the old node on its way back, which is not judged: ms since then after which it no longer waits for peers that
   * are gone. A new node waits for them to its last moment.
   */
  patienceMs?: number
}

export function isOld({ patienceMs }: Trial): boolean {
  return patienceMs !== undefined
}

/** An unreadable reply is no reason to kill: it counts as a BIRD that does not answer. Never rejects. */
export async function readDaemon(
  endpoint: BirdEndpoint,
  container: string,
  depth: Depth,
  { bird }: Pick<StepContext, 'bird'>,
): Promise<BirdView<SessionRow>> {
  try {
    return await bird.look(endpoint, container, depth)
  } catch {
    return { state: 'silent' }
  }
}

export interface ContainerReading {
  state: WindowState['container']
  exitCode: number | null
  /** Docker's own HEALTHCHECK; null where the container has none. */
  health: string | null
}

/** An Engine that does not answer says nothing about the container. Never rejects. */
export async function readContainer(
  container: string,
  { docker }: Pick<StepContext, 'docker'>,
): Promise<ContainerReading> {
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
