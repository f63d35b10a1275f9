import type { GatedDaemon } from '../core/bird/baseline.ts'
import type { TrialState } from '../core/bird/trial.ts'
import type { StepContext } from './step.ts'

/** Disables the dead peers that alone hold the recovery back, so that BIRD stops waiting for them. */
export async function releasePeers(
  container: string,
  daemons: GatedDaemon[],
  state: TrialState,
  { bird, emit }: StepContext,
): Promise<void> {
  for (const [i, { endpoint }] of daemons.entries()) {
    const holding = state.daemons[i]?.standing.deadPeersHolding ?? []
    const peers = await switched(holding, (peer) => bird.disable(endpoint, container, peer))
    if (peers.length > 0) emit({ type: 'released', peers })
  }
}

/** Puts released peers back. They are told by the baseline, not by memory: the process that released them may be dead. */
export async function enableReleased(
  container: string,
  daemons: GatedDaemon[],
  state: TrialState,
  { bird, emit }: StepContext,
): Promise<void> {
  for (const [i, { endpoint }] of daemons.entries()) {
    const released = state.daemons[i]?.standing.released ?? []
    const peers = await switched(released, (peer) => bird.enable(endpoint, container, peer))
    if (peers.length > 0) emit({ type: 're-enabled', peers })
  }
}

/** The peers that BIRD took the command for; the others are seen again by the next look. */
async function switched(peers: string[], command: (peer: string) => Promise<void>): Promise<string[]> {
  const results = await Promise.allSettled(peers.map(command))
  return peers.filter((_, i) => results[i]?.status === 'fulfilled')
}

/** Neighbors whose hosts cannot be reached at all: they are gone. One that refuses or drops the connection lives. */
export async function unreachable(
  peers: { neighbor: string; port: number }[],
  { probe }: Pick<StepContext, 'probe'>,
): Promise<string[]> {
  const answers = await Promise.all(
    peers.map(({ neighbor, port }) => probe.reach(neighbor, port).catch(() => 'there' as const)),
  )
  return peers.filter((_, i) => answers[i] === 'unreachable').map(({ neighbor }) => neighbor)
}
