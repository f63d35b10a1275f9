import type { BirdEndpoint } from '../core/bird/view.ts'
import type { ContainerJson } from '../core/docker/json.ts'
import type { Problem } from '../core/errors.ts'
import type { ObservedDaemon } from '../core/model.ts'
import { commandIn } from '../core/pod/command-in.ts'
import type { Bird, SocketState } from '../ports/bird.ts'
import { type SharedDirectories, sharedDirectories } from './shared-directories.ts'

/** Where BIRD's socket is when the host does not share calico/node's own place. */
const FALLBACK_DIR = '/var/run/bird'
const CONTAINER_DIR = '/var/run/calico'

type Daemon = Pick<ObservedDaemon, 'endpoint' | 'view'>

/**
 * The BIRD daemons of the container that answer: by the configured sockets first, then BIRD's own default place,
 * then `birdcl` inside the container. A socket of the host counts only where the container mounts its directory:
 * the host may run a BIRD of its own. The IPv6 daemon is optional; without the IPv4 one a problem says why.
 */
export async function findDaemons(
  sockets: string[],
  container: ContainerJson,
  bird: Bird,
  problems: Problem[],
): Promise<Daemon[]> {
  const shared = await sharedDirectories(container, bird)
  const seen = await Promise.all([
    ...sockets.map((path) => seeSocket(path, shared.contain, bird)),
    // not by a mount of all of /run, which has the socket of the host's own BIRD as well
    ...[4, 6].map((family) => seeSocket(`${FALLBACK_DIR}/${fileOf(family)}`, shared.are, bird)),
  ])
  const invalid = seen.filter(
    ({ path, state }) => sockets.includes(path) && (state === 'file' || state === 'symlink'),
  )
  if (invalid.length > 0) {
    problems.push(...invalid.map(invalidSocket))
    return []
  }
  const found: Daemon[] = []
  for (const family of [4, 6] as const) {
    const daemon = await findDaemon(family, seen, container.Id, bird)
    if (daemon) found.push(daemon)
  }
  if (!found.some(({ endpoint }) => endpoint.family === 4))
    problems.push(
      birdDown(
        container,
        seen.filter(({ path, foreign }) => sockets.includes(path) || foreign),
      ),
    )
  return found
}

async function findDaemon(
  family: 4 | 6,
  seen: SeenSocket[],
  container: string,
  bird: Bird,
): Promise<Daemon | null> {
  const candidates: BirdEndpoint[] = [
    ...seen
      .filter(({ path, state, foreign }) => familyOf(path) === family && state === 'listening' && !foreign)
      .map(({ path }) => ({ family, socket: path, via: 'host' as const })),
    { family, socket: `${CONTAINER_DIR}/${fileOf(family)}`, via: 'exec' },
  ]
  for (const endpoint of candidates) {
    const view = await bird.look(endpoint, container)
    if (view.state === 'up') return { endpoint, view }
  }
  return null
}

function fileOf(family: number): string {
  return family === 4 ? 'bird.ctl' : 'bird6.ctl'
}

function familyOf(socket: string): 4 | 6 {
  return socket.endsWith('6.ctl') ? 6 : 4
}

interface SeenSocket {
  path: string
  state: SocketState
  /** A socket whose directory the container does not mount: it belongs to something else. */
  foreign: boolean
}

async function seeSocket(
  path: string,
  isShared: SharedDirectories['contain'],
  bird: Bird,
): Promise<SeenSocket> {
  const state = await bird.socketState(path)
  const isSocket = state === 'listening' || state === 'dead'
  return { path, state, foreign: isSocket && !(await isShared(path)) }
}

const SOCKET_WORDS: Record<SocketState, string> = {
  listening: 'BIRD accepts the connection, but does not answer',
  missing: 'it does not exist',
  dead: 'nothing listens on it: a BIRD that died left it behind',
  file: 'it is a file, not a socket',
  symlink: 'it is a symbolic link: set the socket itself',
}

const FOREIGN = 'it belongs to another BIRD: this container does not mount its directory'

function invalidSocket({ path, state }: SeenSocket): Problem {
  return {
    code: 'bird-socket-invalid',
    severity: 'error',
    message: `cannot use ${path} as BIRD's control socket: ${SOCKET_WORDS[state]}`,
    fix: 'set bird.sockets in the config to the sockets on which BIRD listens',
  }
}

/** A node that has just started has no BIRD yet: says when it started. */
function birdDown(container: ContainerJson, seen: SeenSocket[]): Problem {
  const { Name, State } = container
  const name = Name.replace(/^\//, '')
  const reasons = seen.map(
    ({ path, state, foreign }) => `${path}: ${foreign ? FOREIGN : SOCKET_WORDS[state]}`,
  )
  return {
    code: 'bird-down',
    severity: 'error',
    message: `cannot take BIRD's baseline: no BIRD answers (${reasons.join('; ')}; birdcl in the container: no answer); ${name} has been running since ${State.StartedAt.replace(/\.\d+/, '')}`,
    fix: `if it has just started, wait a moment; otherwise check ${commandIn(container, 'birdcl show status')}, and bird.sockets in the config`,
  }
}
