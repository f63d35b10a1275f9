import type { BirdLook, Trial } from './look.ts'
import type { StepContext } from './step.ts'

const BGP_PORT = 179

/** Disables the dead peers that alone hold the recovery back, so that BIRD stops waiting for them. */
export async function releasePeers(
  { gate, container }: Trial,
  look: BirdLook,
  context: StepContext,
): Promise<void> {
  for (const [i, { deadPeersHolding }] of look.standings.entries()) {
    const endpoint = gate.daemons[i]?.endpoint
    if (!endpoint || deadPeersHolding.length === 0) continue
    const peers = await switched(deadPeersHolding, (peer) => context.bird.disable(endpoint, container, peer))
    if (peers.length > 0) context.emit({ type: 'released', peers })
  }
}

/**
 * Puts released peers back. They are told by the baseline, not by memory: a peer that was dead and not disabled
 * before, and is disabled now, was released by this run, in this process or in the one that died.
 */
export async function enableReleased(
  { gate, container }: Trial,
  look: BirdLook,
  context: StepContext,
): Promise<void> {
  for (const [i, { endpoint, baseline }] of gate.daemons.entries()) {
    const view = look.views[i]
    if (view?.state !== 'up') continue
    const released = view.sessions.filter(({ name, disabled }) => disabled && baseline.dead.includes(name))
    const names = released.map(({ name }) => name)
    const peers = await switched(names, (name) => context.bird.enable(endpoint, container, name))
    if (peers.length > 0) context.emit({ type: 're-enabled', peers })
  }
}

/** The peers that BIRD took the command for; the others are seen again by the next look. */
async function switched(peers: string[], command: (peer: string) => Promise<void>): Promise<string[]> {
  const results = await Promise.allSettled(peers.map(command))
  return peers.filter((_, i) => results[i]?.status === 'fulfilled')
}

/** Neighbors of missing sessions that accept no BGP connection from anybody: they are gone, not refused. */
export async function unreachable(look: BirdLook, { probe }: StepContext): Promise<string[]> {
  const neighbors = look.standings.flatMap(({ missingNeighbors }) => missingNeighbors)
  const accepting = await Promise.all(neighbors.map((neighbor) => probe.acceptsTcp(neighbor, BGP_PORT)))
  return neighbors.filter((_, i) => accepting[i] === false)
}
