import type { ContainerJson } from '../../core/docker/json.ts'
import type { Clock } from '../../ports/clock.ts'
import type { StepContext, StepResult } from '../step.ts'

/** A part of the time in which some controllers ran; ms since the epoch. */
export interface Stint {
  from: number
  to: number
}

/** When the old ones ended, by Docker's own time, which outlives a death of the agent; the step's `since` where they were removed. */
export function endOf(old: ContainerJson | undefined, { since, clock }: StepContext): number {
  return old ? Date.parse(old.State.FinishedAt) : wallTime(since, clock)
}

/** Of a moment on the monotonic clock. */
export function wallTime(at: number, clock: Clock): number {
  return clock.date().getTime() - (clock.now() - at)
}

/**
 * How long none ran, from the end of the old ones on until one was started that stays; new ones that were on trial
 * between did run. Nothing where that cannot be told: a boot came between.
 */
export function downTime(
  goneAt: number,
  found: Pick<ContainerJson, 'State'> | undefined,
  between: Stint | null = null,
): StepResult {
  const backAt = Date.parse(found?.State.StartedAt ?? '')
  const isBetween = between !== null && between.from >= goneAt && between.to <= backAt
  const downMs = backAt - goneAt - (isBetween ? Math.max(0, between.to - between.from) : 0)
  return downMs >= 0 ? { downMs: Math.round(downMs) } : {}
}

/** From the start of a container to its end, null where it never ran; one that was removed ended at `goneAt`. */
export function stintOf(container: ContainerJson | undefined, goneAt?: number): Stint | null {
  const from = Date.parse(container?.State.StartedAt ?? '')
  const to = goneAt ?? Date.parse(container?.State.FinishedAt ?? '')
  return from > 0 && to >= from ? { from, to } : null
}
