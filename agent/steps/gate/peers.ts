import type { GatedDaemon } from '../../core/bird/baseline.ts'
import type { TrialState } from '../../core/bird/trial.ts'
import type { Reach } from '../../ports/probe.ts'
import type { StepContext } from '../step.ts'

/** Disables the dead peers if the recovery waits only for them, so that BIRD stops waiting. Returns their names. */
export async function releasePeers(
  container: string,
  daemons: GatedDaemon[],
  state: TrialState,
  { bird, emit }: StepContext,
): Promise<string[]> {
  const released: string[] = []
  for (const [i, { endpoint }] of daemons.entries()) {
    const holding = state.daemons[i]?.standing.deadPeersHolding ?? []
    const peers = await switched(holding, (peer) => bird.disable(endpoint, container, peer))
    if (peers.length > 0) emit({ type: 'released', peers })
    released.push(...peers)
  }
  return released
}

/**
 * Enables released peers again. The baseline names them, not memory: the process that released them may be dead.
 * Returns those for which BIRD did not accept the command.
 */
export async function enableReleased(
  container: string,
  daemons: GatedDaemon[],
  state: TrialState,
  { bird, emit }: StepContext,
): Promise<string[]> {
  const left: string[] = []
  for (const [i, { endpoint }] of daemons.entries()) {
    const released = state.daemons[i]?.standing.released ?? []
    const peers = await switched(released, (peer) => bird.enable(endpoint, container, peer))
    if (peers.length > 0) emit({ type: 're-enabled', peers })
    left.push(...released.filter((peer) => !peers.includes(peer)))
  }
  return left
}

/** The peers for which BIRD accepted the command; the next look sees the others again. */
async function switched(peers: string[], command: (peer: string) => Promise<void>): Promise<string[]> {
  const results = await Promise.allSettled(peers.map(command))
  return peers.filter((_, i) => results[i]?.status === 'fulfilled')
}

/** BGP's port is not used: the peer would mistake the connection for this host's BIRD. */
const DISCARD_PORT = 9

/**
 * Neighbors that are gone: their hosts cannot be reached at all. One that refuses or drops the connection lives, and is
 * missing; only the old node on its way back (`isOld`) is not held to a neighbor where no BIRD listens.
 */
export async function gonePeers(
  peers: { neighbor: string; port: number }[],
  isOld: boolean,
  { probe }: Pick<StepContext, 'probe'>,
): Promise<string[]> {
  const answers = await Promise.all(
    peers.map(({ neighbor, port }) =>
      probe.reach(neighbor, isOld ? port : DISCARD_PORT).catch(() => 'silent' as const),
    ),
  )
  const isGone = (answer: Reach | undefined): boolean =>
    answer === 'unreachable' || (isOld && answer === 'refuses')
  return peers.filter((_, i) => isGone(answers[i])).map(({ neighbor }) => neighbor)
}
