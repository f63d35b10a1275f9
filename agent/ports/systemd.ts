import type { Along } from '../core/unit/along.ts'
import type { UnitState } from '../core/unit/state.ts'

/** The host's service manager. A host without systemd has no units. */
export interface Systemd {
  /** The unit whose `docker run` or `docker start` of the container is running, from any script; null if none is. */
  unitOfClient(container: string): Promise<string | null>
  /** Every service that is loaded or enabled. */
  services(): Promise<UnitState[]>
  /** Null where there is no such unit. */
  show(unit: string): Promise<UnitState | null>
  daemonReload(): Promise<void>
  /** Forgets failures and counted starts, so that the start limit has none of them. */
  resetFailed(unit: string): Promise<void>
  /**
   * Asks for one job that stops and starts the unit, and no other unit with it: systemd finishes it even if the agent
   * dies. Resolves when systemd has accepted it.
   */
  restart(unit: string): Promise<void>
  /** Whether somebody, such as an agent that died, is about to ask for that job. */
  isAsked(unit: string): Promise<boolean>
  /** Units that depend on it, or on one that does, so that a plain restart would affect them. */
  along(unit: string): Promise<Along[]>
  /** Resolves when the unit is down; it does not come back by itself before a boot. */
  stop(unit: string): Promise<void>
}
