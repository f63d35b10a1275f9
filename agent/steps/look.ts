import type { BirdEndpoint, BirdView, Depth, SessionRow } from '../core/bird/view.ts'
import type { WindowState } from '../core/bird/window.ts'
import type { ContainerJson } from '../core/docker/json.ts'
import type { Gate } from '../core/plan/plan.ts'
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
  /** Whether Docker calls it healthy is no matter. */
  ignoresHealth?: true
}

/** What cannot be read is no reason to kill: it is taken as a BIRD that does not answer. Never rejects. */
export async function lookAtDaemon(
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

export interface ContainerLook {
  state: WindowState['container']
  exitCode: number | null
  /** Docker's own HEALTHCHECK; null where the container has none: Podman says so by an empty word. */
  health: string | null
}

function healthOf(found: ContainerJson | undefined): string | null {
  const status = found?.State.Health?.Status ?? ''
  return status === '' || status === 'none' ? null : status
}

/** An Engine that does not answer says nothing about the container. Never rejects. */
export async function lookAtContainer(
  container: string,
  { docker }: Pick<StepContext, 'docker'>,
): Promise<ContainerLook> {
  try {
    const found = await docker.inspectContainer(container)
    return {
      state: found?.State.Running === true ? 'running' : 'exited',
      exitCode: found?.State.ExitCode ?? null,
      health: healthOf(found),
    }
  } catch {
    return { state: 'unknown', exitCode: null, health: null }
  }
}
