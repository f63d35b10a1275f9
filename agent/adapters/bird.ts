import { lstat, stat } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import {
  checkGreeting,
  checkSwitched,
  firstReply,
  parseReply,
  parseView,
  type ReplyLine,
} from '../core/bird/replies.ts'
import type { BirdEndpoint, BirdView } from '../core/bird/view.ts'
import { AgentError } from '../core/errors.ts'
import type { Bird, SocketState } from '../ports/bird.ts'

/** Runs a program in a container; rejects with AgentError when it could not be run to its end in time. */
export type Exec = (
  container: string,
  argv: string[],
  timeoutMs: number,
) => Promise<{ exitCode: number; output: string }>

/** How long BIRD may take for one reply. */
const READ_DEADLINE_MS = 2_000
/** The same, with the start of a process in the container. */
const EXEC_DEADLINE_MS = 5_000
/** `show protocols all` has about 1 kB for each peer. */
const MAX_REPLY_BYTES = 8 * 1024 * 1024

const NOBODY_LISTENS = ['ENOENT', 'ENOTDIR', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE']

/** Names as BIRD 1.6 allows them between single quotes (conf/cf-lex.l). */
const PROTOCOL_NAME = /^[A-Za-z0-9_.:-]+$/

/** Why BIRD could not be asked; expected, so it becomes a view rather than an error. */
class NoAnswer extends Error {
  readonly state: 'down' | 'silent'
  constructor(state: 'down' | 'silent', cause?: unknown) {
    super(state === 'down' ? 'nothing listens at the socket' : 'it does not answer in time', { cause })
    this.state = state
  }
}

/** Asks through the host's socket, or through `exec` of birdcl in the container. */
export function createBird(exec: Exec): Bird {
  async function switchProtocol(
    action: 'disable' | 'enable',
    endpoint: BirdEndpoint,
    container: string,
    protocol: string,
  ): Promise<void> {
    if (!PROTOCOL_NAME.test(protocol)) throw unreachable(action, protocol, 'the name is not one of BIRD')
    const command = `${action} '${protocol}'`
    try {
      if (endpoint.via === 'exec') {
        checkSwitched(action, await askInContainer(exec, container, endpoint.socket, command))
      } else {
        const [reply = []] = await askAtSocket(endpoint.socket, [command])
        checkSwitched(action, reply)
      }
    } catch (error) {
      if (error instanceof NoAnswer) throw unreachable(action, protocol, error.message, error)
      throw error
    }
  }

  return {
    socketState,
    look: (endpoint, container) => look(exec, endpoint, container),
    disable: (...args) => switchProtocol('disable', ...args),
    enable: (...args) => switchProtocol('enable', ...args),
  }
}

async function look(exec: Exec, endpoint: BirdEndpoint, container: string): Promise<BirdView> {
  const commands = ['show status', 'show protocols all'] as const
  try {
    if (endpoint.via === 'host') {
      const instance = await socketIdentity(endpoint.socket)
      const [status = [], protocols = []] = await askAtSocket(endpoint.socket, commands)
      return parseView(status, protocols, instance)
    }
    const status = await askInContainer(exec, container, endpoint.socket, commands[0])
    return parseView(status, await askInContainer(exec, container, endpoint.socket, commands[1]))
  } catch (error) {
    if (error instanceof NoAnswer) return { state: error.state }
    throw error
  }
}

/** Inode and change time: BIRD makes the socket anew at each start. */
async function socketIdentity(path: string): Promise<string | null> {
  const stats = await stat(path, { bigint: true }).catch(() => null)
  return stats && `${stats.dev}:${stats.ino}:${stats.ctimeNs}`
}

/** One connection for all commands: the replies come from one BIRD. */
async function askAtSocket(path: string, commands: readonly string[]): Promise<ReplyLine[][]> {
  const socket = connect(path)
  const nextReply = replyReader(socket)
  try {
    checkGreeting(await nextReply())
    const replies: ReplyLine[][] = []
    for (const command of commands) {
      socket.write(`${command}\n`)
      replies.push(await nextReply())
    }
    return replies
  } finally {
    socket.destroy()
  }
}

/** Returns a function that waits for the next whole reply, READ_DEADLINE_MS at most. */
function replyReader(socket: Socket): () => Promise<ReplyLine[]> {
  let received = ''
  let failure: Error | undefined
  let look = (): void => undefined
  socket.setEncoding('utf8')
  socket.on('data', (chunk: string) => {
    received += chunk
    if (received.length > MAX_REPLY_BYTES) failure = new NoAnswer('silent')
    look()
  })
  socket.on('error', (error: NodeJS.ErrnoException) => {
    failure = socketFailure(error)
    look()
  })
  // BIRD never closes first: it died
  socket.on('close', () => {
    failure ??= new NoAnswer('down')
    look()
  })

  return async () => {
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    look = () => {
      const reply = firstReply(received)
      if (reply !== undefined) resolve(reply)
      else if (failure) reject(failure)
    }
    const timer = setTimeout(() => {
      reject(new NoAnswer('silent'))
    }, READ_DEADLINE_MS)
    try {
      look()
      const reply = await promise
      received = received.slice(reply.length)
      return parseReply(reply)
    } catch (error) {
      // whole lines that are not BIRD's tell that something else listens there
      if (error instanceof NoAnswer) parseReply(received.slice(0, received.lastIndexOf('\n') + 1))
      throw error
    } finally {
      clearTimeout(timer)
    }
  }
}

function socketFailure(error: NodeJS.ErrnoException): Error {
  if (isErrno(error, ...NOBODY_LISTENS)) return new NoAnswer('down', error)
  // the queue of a BIRD that does not accept is full
  if (isErrno(error, 'EAGAIN')) return new NoAnswer('silent', error)
  return new AgentError('bird-unreachable', `cannot connect to BIRD: ${error.message}`, {
    fix: 'run the agent as root and check `bird.sockets`',
    cause: error,
  })
}

/** `-v` keeps the reply codes; a Calico container always has birdcl, not always birdc. */
async function askInContainer(exec: Exec, container: string, socket: string, command: string) {
  const argv = ['birdcl', '-v', '-s', socket, ...command.split(' ')]
  const { exitCode, output } = await execOrSilent(exec, container, argv)
  if (exitCode === 0) return parseReply(output)
  if (/Unable to connect|Connection closed/.test(output)) throw new NoAnswer('down')
  throw new NoAnswer('silent')
}

/** An exec that could not be made says nothing about BIRD: whether the container lives is Docker's to tell. */
async function execOrSilent(exec: Exec, container: string, argv: string[]) {
  try {
    return await exec(container, argv, EXEC_DEADLINE_MS)
  } catch (error) {
    if (error instanceof AgentError) throw new NoAnswer('silent', error)
    throw error
  }
}

async function socketState(path: string): Promise<SocketState> {
  try {
    const stats = await lstat(path)
    if (stats.isSymbolicLink()) return 'symlink'
    if (!stats.isSocket()) return 'file'
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return 'missing'
    throw error
  }
  return (await accepts(path)) ? 'listening' : 'dead'
}

/** Only a refusal tells that nobody listens; a BIRD that is too busy to accept is there. */
async function accepts(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect(path, () => {
    resolve(true)
  })
  socket.on('error', (error) => {
    resolve(!isErrno(error, 'ECONNREFUSED'))
  })
  try {
    return await promise
  } finally {
    socket.destroy()
  }
}

function isErrno(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && codes.includes((error as NodeJS.ErrnoException).code ?? '')
}

function unreachable(action: string, protocol: string, reason: string, cause?: unknown): AgentError {
  return new AgentError('bird-unreachable', `cannot ${action} ${protocol} in BIRD: ${reason}`, {
    fix: `run \`birdcl ${action} ${protocol}\` in the container`,
    ...(cause === undefined ? {} : { cause }),
  })
}
