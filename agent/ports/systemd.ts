import type { UnitState } from '../core/unit/state.ts'

/** The host's service manager. A host without systemd has no units. */
export interface Systemd {
  /** The unit whose `docker run` or `docker start` of the container is at work, by whatever script; null where none is. */
  unitOfClient(container: string): Promise<string | null>
  /** Every service that is loaded or enabled. */
  services(): Promise<UnitState[]>
  /** Null where there is no such unit. */
  show(unit: string): Promise<UnitState | null>
  daemonReload(): Promise<void>
  /** Forgets failures and counted starts, so that the start limit has none of them. */
  resetFailed(unit: string): Promise<void>
  /**
   * One job that stops and starts the unit: systemd finishes it even if the agent dies. Resolves when the job is
   * over; that the start failed is no error here.
   */
  restart(unit: string): Promise<void>
  /** Resolves when the unit is down; nothing of its own brings it back before a boot. */
  stop(unit: string): Promise<void>
  /**
   * Resolves when nobody is about to restart the unit and no job of it is left, such as that of an agent that died.
   * @throws AgentError `unit-busy`
   */
  untilIdle(unit: string): Promise<void>
}
