import type { ContainerJson } from './json.ts'

/** BIRD waits no longer than this for its peers' End-of-RIB (`graceful restart wait`), in ms. */
const RECOVERY_MS = 240_000

/** Ms since the container started; null where it does not run, or where the clock was set back since. */
export function upMs({ State }: Pick<ContainerJson, 'State'>, now: Date): number | null {
  const ms = now.getTime() - Date.parse(State.StartedAt)
  return State.Running && ms >= 0 ? ms : null
}

/** Whether its BIRD may still be in the recovery of that start. */
export function isYoung(ms: number | null): ms is number {
  return ms !== null && ms < RECOVERY_MS
}
