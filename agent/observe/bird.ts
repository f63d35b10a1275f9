import { bgpListenPort, bgpNeighbors } from '../core/bird/neighbors.ts'
import type { BirdEndpoint } from '../core/bird/view.ts'
import type { Problem } from '../core/errors.ts'
import type { ObservedDaemon } from '../core/model.ts'
import type { Bird, SocketState } from '../ports/bird.ts'
import type { Docker } from '../ports/docker.ts'

/** Where calico/node keeps the config that confd renders for BIRD. */
const CONFIG_DIR = '/etc/calico/confd/config'

type AnsweringDaemon = Pick<ObservedDaemon, 'endpoint' | 'view'>

/** The daemons with the neighbors that their configs name; what cannot be read names none. */
export async function withNeighbors(
  daemons: AnsweringDaemon[],
  container: string,
  docker: Docker,
): Promise<ObservedDaemon[]> {
  return await Promise.all(
    daemons.map(async (daemon) => {
      const file = daemon.endpoint.family === 4 ? 'bird.cfg' : 'bird6.cfg'
      const text = (await docker.readContainerFile(container, `${CONFIG_DIR}/${file}`)) ?? ''
      return { ...daemon, neighbors: bgpNeighbors(text), listenPort: bgpListenPort(text) }
    }),
  )
}

/** Where BIRD's socket is when the host does not share calico/node's own place. */
const FALLBACK_DIR = '/var/run/bird'
const CONTAINER_DIR = '/var/run/calico'

/**
 * The BIRD daemons of the container that answer: by the configured sockets first, then BIRD's own default place,
 * then `birdcl` inside the container. The IPv6 daemon is optional; without the IPv4 one a problem says why.
 */
export async function findDaemons(
  sockets: string[],
  container: string,
  bird: Bird,
  problems: Problem[],
): Promise<AnsweringDaemon[]> {
  const seen = await seeSockets(sockets, bird)
  const invalid = seen.filter(({ state }) => state === 'file' || state === 'symlink')
  if (invalid.length > 0) {
    problems.push(...invalid.map(invalidSocket))
    return []
  }
  const found: AnsweringDaemon[] = []
  for (const family of [4, 6] as const) {
    const configured = sockets.filter((socket) => familyOf(socket) === family)
    const daemon = await findDaemon(family, configured, container, bird)
    if (daemon) found.push(daemon)
  }
  if (!found.some(({ endpoint }) => endpoint.family === 4)) problems.push(birdDown(seen))
  return found
}

async function findDaemon(
  family: 4 | 6,
  configured: string[],
  container: string,
  bird: Bird,
): Promise<AnsweringDaemon | null> {
  const file = family === 4 ? 'bird.ctl' : 'bird6.ctl'
  const candidates: BirdEndpoint[] = [
    ...[...configured, `${FALLBACK_DIR}/${file}`].map((socket) => ({ family, socket, via: 'host' as const })),
    { family, socket: `${CONTAINER_DIR}/${file}`, via: 'exec' },
  ]
  for (const endpoint of candidates) {
    if (endpoint.via === 'host' && (await bird.socketState(endpoint.socket)) !== 'listening') continue
    const view = await bird.look(endpoint, container)
    if (view.state === 'up') return { endpoint, view }
  }
  return null
}

function familyOf(socket: string): 4 | 6 {
  return socket.endsWith('6.ctl') ? 6 : 4
}

const SOCKET_WORDS: Record<SocketState, string> = {
  listening: 'BIRD accepts the connection and does not answer',
  missing: 'there is nothing',
  dead: 'nobody listens at it, it was left by a BIRD that died',
  file: 'it is a file, not a socket',
  symlink: 'it is a symlink: name the socket itself',
}

interface SeenSocket {
  path: string
  state: SocketState
}

async function seeSockets(sockets: string[], bird: Bird): Promise<SeenSocket[]> {
  return await Promise.all(sockets.map(async (path) => ({ path, state: await bird.socketState(path) })))
}

function invalidSocket({ path, state }: SeenSocket): Problem {
  return {
    code: 'bird-socket-invalid',
    severity: 'error',
    message: `cannot use ${path} as BIRD's control socket: ${SOCKET_WORDS[state]}`,
    fix: 'set bird.sockets in the config to the sockets that BIRD listens at',
  }
}

function birdDown(seen: SeenSocket[]): Problem {
  const reasons = seen.map(({ path, state }) => `${path}: ${SOCKET_WORDS[state]}`)
  return {
    code: 'bird-down',
    severity: 'error',
    message: `cannot take BIRD's baseline: no BIRD answers (${reasons.join('; ')}; birdcl in the container: no answer)`,
    fix: 'docker exec calico-node birdcl show status; bird.sockets in the config',
  }
}
