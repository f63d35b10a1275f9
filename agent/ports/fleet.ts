import type { Turn, TurnEnd } from '../core/fleet.ts'
import type { Namespaced } from '../core/kubernetes/object.ts'

/**
 * Lets one host of many work at a time. A turn has no time to live: a host that died in the middle keeps it until it has
 * resumed, or until an operator takes it away.
 */
export interface Fleet {
  /**
   * Takes the turn for this host, which may have it already.
   * @throws AgentError `lease-held`, `fleet-halted` (both exit 75)
   */
  take(turn: Turn): Promise<void>
  /** Ends the turn of this host; one that another host has is left alone. */
  giveBack(end: TurnEnd): Promise<void>
  /** The Lease, if this host holds it; null otherwise. */
  held(): Promise<Namespaced | null>
}
