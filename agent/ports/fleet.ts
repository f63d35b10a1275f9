import type { AgentError } from '../core/errors.ts'
import type { Turn, TurnEnd } from '../core/fleet/group.ts'
import type { HostRecord } from '../core/fleet/host-record.ts'
import type { FleetSummary, FleetView } from '../core/fleet/view.ts'

/** For whoever waits for a slot. */
export interface Waiting {
  /** Aborted when nobody wants to wait any longer. */
  signal: AbortSignal
  /**
   * Asked right before a slot is taken: rejects with the reason why this host must not start now, such as a closed
   * maintenance window.
   */
  mayStart: () => Promise<void>
  /** Ends an earlier turn of this host, where no agent is at work on it; resolves to whether it has ended. */
  endEarlier: () => Promise<boolean>
  /** What it waits for: said once, and again when it is something else. */
  onWait: (why: AgentError) => void
}

/**
 * Lets some hosts of many work at a time. A slot has no time to live: a host that died in the middle keeps it until it
 * has resumed, or until an operator releases it.
 */
export interface Fleet {
  /** The group, in words. */
  readonly name: string
  /** What this host is called in it. */
  host(): Promise<string>
  /**
   * Takes a slot for this host, which may have it already.
   * @throws AgentError `slot-held`, `fleet-halted`, `fleet-unreachable` (exit 75)
   */
  take(turn: Turn): Promise<void>
  /** The same as soon as there is one, however long that takes: the host is not locked meanwhile. */
  waitFor(turn: Turn, waiting: Waiting): Promise<void>
  /**
   * Ends the turn of this host, whatever run it is of; a slot that another host has is left alone. False where the host
   * keeps its slot, as the engine has no other way to keep the others from a target that failed.
   */
  giveBack(end: TurnEnd): Promise<boolean>
  /**
   * Gives back what was taken for this run, and did not begin. False where the engine knows hosts only, and no runs: the
   * slot may be of another agent that is at work on this host.
   */
  drop(run: string): Promise<boolean>
  /** Whether this host has a slot; true where the engine cannot tell. */
  isHeld(): Promise<boolean>
  /** Says where this host is: what `next` makes of what it said last; null leaves that. */
  record(next: (before: HostRecord | null) => Omit<HostRecord, 'host'> | null): Promise<void>
  /** What operators do; null where the engine has no means for it. */
  readonly control: FleetControl | null
  /** Takes the slot of a host that never comes back. @throws AgentError `no-slot` */
  release(host: string): Promise<void>
}

/** The rollout seen from any host, and its brakes. */
export interface FleetControl {
  view(): Promise<FleetView>
  /** What all hosts share, without what each one says: one small read, however many hosts there are. */
  summary(): Promise<FleetSummary>
  halt(reason: string): Promise<void>
  /** False where nothing was halted. */
  resume(): Promise<boolean>
}
