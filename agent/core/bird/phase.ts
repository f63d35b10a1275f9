import { counted } from '../counted.ts'
import { type BirdBaseline, type EstablishedSession, isBaselineBird } from './baseline.ts'
import type { BirdUp, BirdView, SessionRow } from './view.ts'
import type { BirdPhase } from './window.ts'

/** One daemon compared with its baseline. */
export interface DaemonStanding {
  phase: Exclude<BirdPhase, 'none'>
  /** In words, what of the baseline is not back. */
  unmet: string[]
  /** Sessions of the baseline that are not back. */
  missing: EstablishedSession[]
  /** Sessions that are back and, once the recovery is over, have none of their routes. */
  bare: EstablishedSession[]
  /** Sessions that are back with fewer routes than before, and some. */
  fewer: { name: string; before: number; now: number }[]
  deadPeersHolding: string[]
  /** Disabled by this run, in this process or in one that died: dead before, and not disabled by an operator. */
  released: string[]
  /** Its config has no peer of the baseline: it waits for nobody, and takes their routes out of the kernel at once. */
  peersForgotten: boolean
}

/** For a daemon that shows nothing about its sessions. */
function unknownStanding(
  phase: DaemonStanding['phase'],
  why: string,
  { established }: BirdBaseline,
): DaemonStanding {
  const nothing = { bare: [], fewer: [], deadPeersHolding: [], released: [], peersForgotten: false }
  return { phase, unmet: [why], missing: established, ...nothing }
}

/**
 * `previous` is the phase of the last look: a BIRD that accepts but does not answer is busy, not gone, and what it
 * had reached still counts. Routes that were not read count as missing.
 */
export function daemonStanding(
  view: BirdView<SessionRow>,
  baseline: BirdBaseline,
  previous: DaemonStanding['phase'],
): DaemonStanding {
  if (view.state === 'silent') return unknownStanding(previous, 'BIRD does not answer', baseline)
  if (view.state === 'down' || isBaselineBird(view, baseline))
    return unknownStanding('down', 'BIRD is not up', baseline)

  const byName = new Map(view.sessions.map((session) => [session.name, session]))
  const missing = baseline.established.filter(({ name }) => byName.get(name)?.established !== true)
  // while it recovers, peers may have more to say
  const bare = view.recovering ? [] : withoutRoutes(baseline, byName)
  const held = view.recovering && missing.length === 0
  const wasDead = new Set(baseline.dead)
  const dead = view.sessions.filter(({ name, established }) => !established && wasDead.has(name))
  return {
    phase: phaseOf(view, baseline),
    unmet: [
      ...missingText(missing, byName),
      ...bareText(bare),
      ...(view.recovering ? ['graceful-restart recovery in progress'] : []),
    ],
    missing,
    bare,
    fewer: fewerRoutes(baseline, byName),
    deadPeersHolding: held ? dead.filter(({ disabled }) => !disabled).map(({ name }) => name) : [],
    released: dead.filter(({ disabled }) => disabled).map(({ name }) => name),
    peersForgotten:
      baseline.established.length > 0 && !baseline.established.some(({ name }) => byName.has(name)),
  }
}

function phaseOf(view: BirdUp<SessionRow>, baseline: BirdBaseline): DaemonStanding['phase'] {
  const anyEstablished = view.sessions.some((session) => session.established)
  if (view.recovering) return anyEstablished ? 'recovering' : 'starting'
  return anyEstablished || baseline.established.length === 0 ? 'recovered' : 'starting'
}

/** More than these are counted: a mesh may have hundreds. */
const NAMED = 4

function missingText(missing: EstablishedSession[], byName: Map<string, SessionRow>): string[] {
  if (missing.length > NAMED)
    return [`${missing.length} sessions are not Established, such as ${missing[0]?.name ?? ''}`]
  return missing.map(
    ({ name }) => `session ${name} is ${byName.has(name) ? 'not Established' : 'not configured'}`,
  )
}

/** After the recovery, a peer has sent all its routes: fewer than before may be due to its pods, none at all is not. */
function withoutRoutes({ established }: BirdBaseline, byName: Map<string, SessionRow>): EstablishedSession[] {
  return established.filter(({ name, imported }) => {
    const now = byName.get(name)
    return imported > 0 && now?.established === true && !now.imported
  })
}

function bareText(bare: EstablishedSession[]): string[] {
  if (bare.length > NAMED)
    return [`${bare.length} sessions have none of their routes, such as ${bare[0]?.name ?? ''}`]
  return bare.map(({ name, imported }) => `session ${name} has none of its ${counted(imported, 'route')}`)
}

function fewerRoutes(
  { established }: BirdBaseline,
  byName: Map<string, SessionRow>,
): DaemonStanding['fewer'] {
  return established.flatMap(({ name, imported: before }) => {
    const now = byName.get(name)?.imported ?? 0
    return now > 0 && now < before ? [{ name, before, now }] : []
  })
}

/** All daemons taken together: one that recovers forbids a restart, whatever the other does. */
export function combinedPhase(phases: DaemonStanding['phase'][]): BirdPhase {
  if (phases.length === 0) return 'none'
  if (phases.includes('recovering')) return 'recovering'
  if (phases.every((phase) => phase === 'recovered')) return 'recovered'
  return phases.includes('down') ? 'down' : 'starting'
}
