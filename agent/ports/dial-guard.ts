/** A neighbor whose own connections must not complete. */
export interface GuardedNeighbor {
  /** As BIRD has it; a link-local one with its interface. */
  address: string
  /** This host's BGP port, to which the neighbor connects. */
  listenPort: number
}

/** Prevents neighbors from dialling this host, so that only BIRD dials: with rules of this kernel, not of a firewall. */
export interface DialGuard {
  /**
   * Tests on this kernel that closing keeps these neighbors out but allows this host's own dialling. What is closed stays
   * closed.
   * @throws AgentError `dial-guard-unavailable`
   */
  check(neighbors: readonly GuardedNeighbor[]): Promise<void>
  /** Lets no connection complete that these neighbors open. Closing again is no error. Gone after a reboot. */
  close(neighbors: readonly GuardedNeighbor[]): Promise<void>
  /**
   * Lets these neighbors in again, or all; what is not closed is no error. Returns those that were kept out.
   * @throws AgentError `dial-guard-unavailable` where one may still be kept out
   */
  open(addresses?: readonly string[]): Promise<string[]>
}
