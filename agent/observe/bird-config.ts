import { gracefulRestartSeconds } from '../core/bird/config.ts'
import { bgpListenPort, bgpNeighbors } from '../core/bird/neighbors.ts'
import type { ObservedDaemon } from '../core/model.ts'
import type { Docker } from '../ports/docker.ts'

/** Where calico/node keeps the configs that confd renders for BIRD. */
const BIRD_CFG = { 4: '/etc/calico/confd/config/bird.cfg', 6: '/etc/calico/confd/config/bird6.cfg' } as const

/** The daemons with what their configs say; one that cannot be read names no neighbor and changes no default. */
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
        announcedMs: gracefulRestartSeconds(text) * 1000,
      }
    }),
  )
}
