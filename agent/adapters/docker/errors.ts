import { AgentError } from '../../core/errors.ts'

/** What the Engine answered to a request that it did not do. */
export class EngineError extends AgentError {
  /** HTTP status. */
  readonly status: number
  /** The Engine's own words. */
  readonly reply: string

  constructor(what: string, status: number, reply: string, cause: unknown) {
    const { code, fix } = classify(reply)
    super(code, `cannot ${what}: ${reply === '' ? `HTTP status ${status}` : reply}`, {
      ...{ fix, cause },
      // an error with its own code is not transient, except a full disk
      isTransient: code === 'no-space' || (code === 'docker-failed' && status >= 500),
    })
    this.status = status
    this.reply = reply
  }
}

/** First match wins; the words are those of Engine 20.10, which later ones kept. */
const replies: { pattern: RegExp; code: string; fix: string }[] = [
  {
    pattern: /no space left on device/i,
    code: 'no-space',
    fix: 'free space on the full file system: df -h /run /var/lib/docker; docker image prune removes unused images',
  },
  {
    pattern: /^client version .* is too (new|old)/i,
    code: 'docker-api-version',
    fix: 'run the command again: Docker Engine was replaced during the run',
  },
  {
    // an Engine with live-restore that was killed while it cleaned up behind the container
    pattern: /task .*: already exists/i,
    code: 'container-task-left',
    fix: 'recreate the container: this Docker Engine can no longer start it',
  },
  { pattern: /no such container/i, code: 'container-not-found', fix: 'list the containers: docker ps -a' },
  { pattern: /no such image/i, code: 'image-missing', fix: 'pull the image first: calico-agent prefetch' },
  {
    pattern: /container name .* is already in use/i,
    code: 'container-name-taken',
    fix: 'find the container with this name (docker ps -a), and remove or rename it',
  },
  {
    pattern: /is not running/i,
    code: 'container-not-running',
    fix: 'check why it stopped: docker logs CONTAINER',
  },
  {
    pattern: /network .* not found/i,
    code: 'network-not-found',
    fix: 'list the networks: docker network ls',
  },
]

function classify(reply: string): { code: string; fix: string } {
  return (
    replies.find(({ pattern }) => pattern.test(reply)) ?? {
      code: 'docker-failed',
      fix: "check Docker Engine's log: journalctl -u docker",
    }
  )
}

/**
 * For `.catch`: an answer with this status (and these words) is no error, anything else is thrown on. The words
 * keep apart "No such container" and the 404 of a path that some other server does not know.
 */
export function whenRefused<T>(status: number, words: RegExp, value: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof EngineError && error.status === status && words.test(error.reply)) return value
    throw error
  }
}

/** Translates what the library threw, once, at the edge. `socket` is the path that was dialled. */
export function translate(error: unknown, what: string, socket: string): Error {
  if (error instanceof AgentError) return error
  const facts = factsOf(error)
  if (facts.status !== undefined) return new EngineError(what, facts.status, facts.reply, error)
  if (facts.code === 'EACCES' || facts.code === 'EPERM') return dockerDenied(what, socket, error)
  if (facts.code?.startsWith('HPE_') === true) {
    return socketInvalid(
      socket,
      'the program that listens there does not speak HTTP',
      "use Docker Engine's socket",
      error,
    )
  }
  if (facts.code !== undefined && systemErrorName.test(facts.code))
    return dockerUnreachable(what, socket, facts.code, error)
  return error instanceof Error ? error : new Error(`cannot ${what}: ${String(error)}`)
}

/** ECONNREFUSED and its like; Node's own ERR_... are bugs of the caller. */
const systemErrorName = /^E[A-Z]+$/

const noDescriptor = 'no free file descriptor'

const connectionFailures: Record<string, string> = {
  ENOENT: 'the socket does not exist',
  ECONNREFUSED: 'nothing listens on the socket: a previous Docker Engine left it behind',
  ECONNRESET: 'Docker Engine closed the connection',
  EPIPE: 'Docker Engine closed the connection',
  EMFILE: noDescriptor,
  ENFILE: noDescriptor,
}

function dockerUnreachable(what: string, socket: string, code: string, cause: unknown): AgentError {
  const reason = connectionFailures[code] ?? code
  return new AgentError('docker-unreachable', `cannot ${what}: cannot reach Docker at ${socket}: ${reason}`, {
    fix:
      reason === noDescriptor
        ? 'raise the limit: ulimit -n, or LimitNOFILE= in a unit'
        : 'systemctl start docker',
    cause,
  })
}

function dockerDenied(what: string, socket: string, cause: unknown): AgentError {
  return new AgentError('docker-denied', `cannot ${what}: access to Docker at ${socket} is denied`, {
    fix: 'run the agent as root',
    cause,
  })
}

/** The configured path can never be Docker's socket, whatever the Engine does. */
export function socketInvalid(socket: string, reason: string, fix: string, cause?: unknown): AgentError {
  return new AgentError('docker-socket-invalid', `cannot use ${socket} as Docker's socket: ${reason}`, {
    fix,
    cause,
  })
}

export function dockerTimeout(what: string, ms: number): AgentError {
  return new AgentError('docker-timeout', `cannot ${what}: Docker did not answer within ${ms / 1000} s`, {
    fix: 'check Docker Engine: systemctl status docker; journalctl -u docker',
  })
}

interface LibraryError {
  code?: unknown
  statusCode?: unknown
  json?: unknown
  message?: unknown
}

function factsOf(error: unknown): { code?: string; status?: number; reply: string } {
  if (typeof error !== 'object' || error === null) return { reply: '' }
  const { code, statusCode, json, message }: LibraryError = error
  return {
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof statusCode === 'number' ? { status: statusCode } : {}),
    reply: replyOf(json) ?? (typeof message === 'string' ? message.replace(libraryPrefix, '').trim() : ''),
  }
}

/** Put before the Engine's words where the answer was to be a stream. */
const libraryPrefix = /^\(HTTP code \d+\) .*? - /

/** The library hands on a reply that is not JSON as bytes, and none at all where the answer was a stream. */
function replyOf(json: unknown): string | undefined {
  if (Buffer.isBuffer(json)) return json.toString().trim() || undefined
  if (typeof json !== 'object' || json === null || !('message' in json)) return undefined
  return String(json.message).trim()
}
