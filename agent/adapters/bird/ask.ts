import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { checkGreeting, ReplyReader, replyLines } from '../../core/bird/replies.ts'
import { AgentError } from '../../core/errors.ts'
import { messageOf } from '../../core/message-of.ts'
import { isErrno } from './errno.ts'
import { NoAnswer } from './no-answer.ts'

/** How long BIRD may take for one reply. */
const READ_DEADLINE_MS = 2_000
/** `show protocols all` has about 1 kB for each peer. */
const MAX_REPLY_BYTES = 8 * 1024 * 1024
/** BIRD has room for 8 clients that wait to be accepted, and accepts them between two of its own tasks. */
const BUSY_MS = 1_000
const BUSY_POLL_MS = 20

const NOBODY_LISTENS = ['ENOENT', 'ENOTDIR', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE']

/** One connection for all commands: the replies come from one BIRD. */
export async function askAtSocket(path: string, commands: readonly string[]): Promise<string[]> {
  const socket = await connected(path)
  const nextReply = replyReader(socket)
  try {
    checkGreeting(await nextReply())
    const replies: string[] = []
    for (const command of commands) {
      socket.write(`${command}\n`)
      replies.push(await nextReply())
    }
    return replies
  } finally {
    socket.destroy()
  }
}

/** A full queue of clients (EAGAIN) means that BIRD is busy: retry for a moment. */
async function connected(path: string): Promise<Socket> {
  for (let left = BUSY_MS; ; left -= BUSY_POLL_MS) {
    const socket = connect(path)
    try {
      await once(socket, 'connect')
      return socket
    } catch (error) {
      socket.destroy()
      if (!isErrno(error, 'EAGAIN') || left <= 0) throw socketFailure(error)
      await sleep(BUSY_POLL_MS)
    }
  }
}

/** Returns a function that waits for the next whole reply, READ_DEADLINE_MS at most. */
function replyReader(socket: Socket): () => Promise<string> {
  const reader = new ReplyReader()
  const replies: string[] = []
  let bytes = 0
  let failure: Error | undefined
  let look = (): void => undefined
  const fail = (error: Error): void => {
    failure ??= error
    look()
  }
  socket.setEncoding('utf8')
  socket.on('data', (chunk: string) => {
    bytes += chunk.length
    const reply = reader.push(chunk)
    if (reply !== undefined) replies.push(reply)
    if (bytes > MAX_REPLY_BYTES) fail(new NoAnswer('silent'))
    else look()
  })
  socket.on('error', (error) => {
    fail(socketFailure(error))
  })
  // BIRD never closes first: it died
  socket.on('close', () => {
    fail(new NoAnswer('down'))
  })

  return async () => {
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    look = () => {
      const reply = replies.shift()
      if (reply !== undefined) resolve(reply)
      else if (failure) reject(failure)
    }
    const timer = setTimeout(() => {
      reject(new NoAnswer('silent'))
    }, READ_DEADLINE_MS)
    try {
      look()
      return await promise
    } catch (error) {
      // whole lines that are not BIRD's show that something else listens there
      if (error instanceof NoAnswer) replyLines(reader.takeRest())
      throw error
    } finally {
      look = () => undefined
      clearTimeout(timer)
    }
  }
}

function socketFailure(error: unknown): Error {
  if (isErrno(error, ...NOBODY_LISTENS)) return new NoAnswer('down', error)
  if (isErrno(error, 'EAGAIN')) return new NoAnswer('silent', error)
  const reason = messageOf(error)
  return new AgentError('bird-unreachable', `cannot connect to BIRD: ${reason}`, {
    fix: 'run the agent as root, and check bird.sockets in the config',
    cause: error,
  })
}
