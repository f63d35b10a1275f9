import type { ContainerJson } from '../../core/docker/json.ts'
import type { Clock } from '../../ports/clock.ts'
import type { StepContext, StepResult } from '../step.ts'

/** An interval in which controllers ran; ms since the epoch. */
export interface RunningPeriod {
  from: number
  to: number
}

/** When the old ones ended, by Docker's own time, which survives the agent's death; the step's `since` if they were removed. */
export function stoppedAt(old: ContainerJson | undefined, { since, clock }: StepContext): number {
  return old ? Date.parse(old.State.FinishedAt) : wallTime(since, clock)
}

/** Wall-clock time of a moment on the monotonic clock. */
export function wallTime(at: number, clock: Clock): number {
  return clock.date().getTime() - (clock.now() - at)
}

/**
 * How long none ran, from the end of the old ones until the start of one that stays; new ones on trial in between did
 * run. Nothing if that is not known, because of a boot in between.
 */
export function downTime(
  goneAt: number,
  found: Pick<ContainerJson, 'State'> | undefined,
  between: RunningPeriod | null = null,
): StepResult {
  const backAt = Date.parse(found?.State.StartedAt ?? '')
  const isBetween = between !== null && between.from >= goneAt && between.to <= backAt
  const downMs = backAt - goneAt - (isBetween ? Math.max(0, between.to - between.from) : 0)
  return downMs >= 0 ? { downMs: Math.round(downMs) } : {}
}

/** From the start of a container to its end, null where it never ran; one that was removed ended at `goneAt`. */
export function runningPeriod(container: ContainerJson | undefined, goneAt?: number): RunningPeriod | null {
  const from = Date.parse(container?.State.StartedAt ?? '')
  const to = goneAt ?? Date.parse(container?.State.FinishedAt ?? '')
  return from > 0 && to >= from ? { from, to } : null
}
