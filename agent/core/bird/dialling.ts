import type { BgpNeighbor } from './neighbors.ts'
import type { BirdUp, BirdView, SessionRow } from './view.ts'

/**
 * A neighbor that may dial while this BIRD dials as well. If both do after a restart, their connections can collide:
 * the peer mistakes the second one for a second restart of this BIRD, and deletes the routes that it kept as stale
 * (RFC 4724, 4.2; BIRD: "Neighbor graceful restart detected - already pending").
 */
export interface DiallingNeighbor {
  /** The session's name. */
  name: string
  address: string
  /** Where this BIRD accepts the neighbor's connection. */
  listenPort: number
}

interface ConfiguredBird {
  view: BirdUp
  neighbors: readonly BgpNeighbor[]
  listenPort: number
}

/** Those whose sessions are Established and for which bird.cfg does not make this BIRD wait (`passive on`). */
export function diallingNeighbors({ view, neighbors, listenPort }: ConfiguredBird): DiallingNeighbor[] {
  const dialled = new Set(neighbors.filter(({ passive }) => !passive).map(({ name }) => name))
  return view.sessions
    .filter(({ established, name }) => established && dialled.has(name))
    .map(({ name, neighbor }) => ({ name, address: neighbor, listenPort }))
}

/**
 * BIRD's words for a neighbor that must connect by itself: this BIRD waits for it (`passive on`), or is refused. A
 * neighbor behind a firewall, or one that only dials, also dialled before.
 */
const MUST_COME = /^Passive|Socket: (?:Connection refused|No route to host)/

/** The neighbors that must be let in: by BIRD's own words, or since they were not reached in its first `patienceMs`. */
export function neighborsToAdmit(
  neighbors: readonly DiallingNeighbor[],
  view: BirdView<SessionRow>,
  { upForMs, patienceMs }: { upForMs: number; patienceMs: number },
): DiallingNeighbor[] {
  // who dials a BIRD that is not up yet only collides with it later
  if (view.state === 'down') return []
  return neighbors.filter(({ name }) => {
    const session = view.state === 'up' ? view.sessions.find((one) => one.name === name) : undefined
    if (session?.established === true) return false
    return upForMs >= patienceMs || (session !== undefined && MUST_COME.test(session.info))
  })
}

/** BIRD's sessions come back within 6 s if nothing collides, sometimes only within 18 s. */
const PATIENCE_MS = 20_000

/** For how long BIRD alone dials: in what is left of the budget, a neighbor must still come by its own retries. */
export function diallingPatience({ budgetMs, reserveMs }: { budgetMs: number; reserveMs: number }): number {
  return Math.min(PATIENCE_MS, Math.floor((budgetMs - reserveMs) / 2))
}
