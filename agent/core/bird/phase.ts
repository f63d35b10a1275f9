import { counted } from '../counted.ts'
import type { BirdUp, BirdView, Session } from './view.ts'
import type { BirdPhase } from './window.ts'

/** What a BIRD daemon showed before the stop: what the new one must reach again. */
export interface BirdBaseline {
  lastReboot: string
  /** Absent in a journal of an earlier version. */
  instance?: string | null
  established: { name: string; neighbor: string; imported: number }[]
  /** Not Established before the upgrade and not disabled by the operator. */
  dead: string[]
}

export function birdBaseline(view: BirdUp): BirdBaseline {
  return {
    lastReboot: view.lastReboot,
    instance: view.instance,
    established: view.sessions
      .filter((session) => session.established)
      .map(({ name, neighbor, imported }) => ({ name, neighbor, imported })),
    dead: view.sessions
      .filter((session) => !session.established && !session.disabled)
      .map(({ name }) => name),
  }
}

/** One daemon held against its baseline. */
export interface DaemonStanding {
  phase: Exclude<BirdPhase, 'none'>
  /** In words, what of the baseline is not back. */
  unmet: string[]
  /** Neighbors of the baseline whose sessions are not back. */
  missingNeighbors: string[]
  deadPeersHolding: string[]
  /** Its config has no peer of the baseline: it waits for nobody, and takes their routes out of the kernel at once. */
  peersForgotten: boolean
}

/**
 * `previous` is the phase of the last look: a BIRD that accepts and does not answer is busy, not gone, and what it
 * had reached still binds us.
 */
export function daemonStanding(
  view: BirdView,
  baseline: BirdBaseline,
  previous: DaemonStanding['phase'],
): DaemonStanding {
  const nothing = {
    missingNeighbors: baseline.established.map((s) => s.neighbor),
    deadPeersHolding: [],
    peersForgotten: false,
  }
  if (view.state === 'silent') return { ...nothing, phase: previous, unmet: ['BIRD does not answer'] }
  if (view.state === 'down' || view.lastReboot === baseline.lastReboot) {
    return { ...nothing, phase: 'down', unmet: ['BIRD is not up'] }
  }
  const missing = baseline.established.filter((was) => !byName(view.sessions, was.name)?.established)
  const short = baseline.established.filter((was) => {
    const now = byName(view.sessions, was.name)
    return now?.established === true && now.imported < was.imported
  })
  const has = ({ name }: { name: string }): boolean => byName(view.sessions, name) !== undefined
  const held = view.recovering && missing.length === 0 && short.length === 0
  const dead = view.sessions.filter((s) => !s.established && !s.disabled && baseline.dead.includes(s.name))
  return {
    phase: phaseOf(view, baseline),
    unmet: [
      ...missing.map((was) => `session ${was.name} is ${has(was) ? 'not Established' : 'not configured'}`),
      ...short.map(
        (was) => `session ${was.name} has fewer than its ${counted(was.imported, 'imported route')}`,
      ),
      ...(view.recovering ? [`graceful-restart recovery in progress`] : []),
    ],
    missingNeighbors: missing.map((was) => was.neighbor),
    deadPeersHolding: held ? dead.map((session) => session.name) : [],
    peersForgotten: baseline.established.length > 0 && !baseline.established.some(has),
  }
}

function phaseOf(view: BirdUp, baseline: BirdBaseline): DaemonStanding['phase'] {
  const anyEstablished = view.sessions.some((session) => session.established)
  if (view.recovering) return anyEstablished ? 'recovering' : 'starting'
  return anyEstablished || baseline.established.length === 0 ? 'recovered' : 'starting'
}

function byName(sessions: Session[], name: string): Session | undefined {
  return sessions.find((session) => session.name === name)
}

/** All daemons taken together: one that recovers forbids a restart, whatever the other does. */
export function combinedPhase(phases: DaemonStanding['phase'][]): BirdPhase {
  if (phases.length === 0) return 'none'
  if (phases.includes('recovering')) return 'recovering'
  if (phases.every((phase) => phase === 'recovered')) return 'recovered'
  return phases.includes('down') ? 'down' : 'starting'
}
