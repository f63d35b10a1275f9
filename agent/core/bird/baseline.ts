import type { DiallingNeighbor } from './dialling.ts'
import type { BirdEndpoint, BirdUp, SessionRow } from './view.ts'

/** What a BIRD daemon showed before the stop: what the new one must reach again. */
export interface BirdBaseline {
  lastReboot: string
  /** Absent in a journal of an earlier version. */
  instance?: string | null
  established: EstablishedSession[]
  /** Not Established before the upgrade, not disabled by the operator, and not restarting itself. */
  dead: string[]
}

export interface EstablishedSession {
  name: string
  neighbor: string
  imported: number
  /** Where the neighbor listens, from bird.cfg; 179 if that is not known. */
  port?: number
}

/** A daemon of the gate, and what it is compared with. */
export interface GatedDaemon {
  endpoint: BirdEndpoint
  baseline: BirdBaseline
  /** Neighbors that are prevented from dialling while it restarts; absent in a journal of an earlier version. */
  dialling?: DiallingNeighbor[]
}

/**
 * From a look, and from what bird.cfg says about the neighbors. One in its own graceful restart is neither Established nor dead:
 * its routes are there, and it comes back.
 */
export function birdBaseline(
  view: BirdUp,
  neighbors: readonly { name: string; port?: number }[] = [],
): BirdBaseline {
  const ports = new Map(neighbors.map(({ name, port }) => [name, port]))
  return {
    lastReboot: view.lastReboot,
    instance: view.instance,
    established: view.sessions
      .filter((session) => session.established)
      .map(({ name, neighbor, imported }) => {
        const port = ports.get(name)
        return { name, neighbor, imported, ...(port !== undefined && { port }) }
      }),
    dead: view.sessions
      .filter((session) => !session.established && !session.disabled && !session.restarting)
      .map(({ name }) => name),
  }
}

/**
 * The daemons that count: those with sessions to lose. runit starts a bird6 also on hosts without IPv6. If none
 * has a session, BIRD itself must still come up.
 */
export function gatedDaemons<Daemon extends GatedDaemon>(daemons: Daemon[]): Daemon[] {
  const withSessions = daemons.filter(({ baseline }) => baseline.established.length > 0)
  return withSessions.length > 0 ? withSessions : daemons.slice(0, 1)
}

/** The BIRD that the baseline was taken from still answers. */
export function isBaselineBird(view: BirdUp<SessionRow>, { instance, lastReboot }: BirdBaseline): boolean {
  if (instance == null || view.instance === null) return isSameReboot(view.lastReboot, lastReboot)
  return view.instance === instance
}

/** "Last reboot" of one BIRD wobbles by a second between looks. */
export function isSameReboot(one: string, other: string): boolean {
  return one === other || Math.abs(Date.parse(one) - Date.parse(other)) <= 1_000
}
