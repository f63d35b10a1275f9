/**
 * BIRD's routes in the kernel, held where BIRD does not see them: a new BIRD that starts without its peers removes
 * the routes of the old one at once, and pods lose packets.
 */
export interface KernelRoutes {
  /**
   * Copies BIRD's routes to a table of their own, which is asked only where the main table has no route but a default
   * one. Holding again replaces the copies.
   */
  hold(): Promise<void>
  /** Removes the copies; having none is no error. */
  release(): Promise<void>
}
