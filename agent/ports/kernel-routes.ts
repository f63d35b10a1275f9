/**
 * BIRD's routes in the kernel, held where BIRD does not see them: a new BIRD that starts without its peers takes the
 * routes of the old one away at once, and the pods' packets with them.
 */
export interface KernelRoutes {
  /**
   * Copies BIRD's routes to a table of their own, which is asked only where the main table has no route but a default
   * one. Holding again replaces the copies.
   */
  hold(): Promise<void>
  /** Takes the copies away; none is no error. */
  release(): Promise<void>
}
