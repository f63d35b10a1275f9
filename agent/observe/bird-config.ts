import { gracefulRestartSeconds } from '../core/bird/config.ts'
import { bgpListenPort, bgpNeighbors } from '../core/bird/neighbors.ts'
import { AgentError } from '../core/errors.ts'
import type { ObservedDaemon } from '../core/model.ts'
import type { Docker } from '../ports/docker.ts'

/** Where calico/node keeps the configs that confd renders for BIRD. */
const BIRD_CFG = { 4: '/etc/calico/confd/config/bird.cfg', 6: '/etc/calico/confd/config/bird6.cfg' } as const

/**
 * The daemons with what their configs say; a config that is not there names no neighbor and changes no default.
 * @throws AgentError where Docker cannot tell, and `bird-config-unreadable` of a daemon that has sessions
 */
export async function withConfig(
  daemons: Pick<ObservedDaemon, 'endpoint' | 'view'>[],
  container: string,
  docker: Pick<Docker, 'readContainerFile'>,
): Promise<ObservedDaemon[]> {
  return await Promise.all(
    daemons.map(async (daemon) => {
      const text = (await docker.readContainerFile(container, BIRD_CFG[daemon.endpoint.family])) ?? ''
      return {
        ...daemon,
        neighbors: bgpNeighbors(text),
        listenPort: bgpListenPort(text),
        announcedMs: announcedSeconds(text, daemon) * 1000,
      }
    }),
  )
}

/** No peer waits for a daemon without sessions: a time that is not a number does not matter there. */
function announcedSeconds(birdCfg: string, { view }: Pick<ObservedDaemon, 'view'>): number {
  try {
    return gracefulRestartSeconds(birdCfg)
  } catch (error) {
    const isIdle = !view.sessions.some(({ established }) => established)
    if (isIdle && error instanceof AgentError) return gracefulRestartSeconds('')
    throw error
  }
}
