import { lstat, readlink } from 'node:fs/promises'
import { Agent } from 'node:http'
import { inspect } from 'node:util'
import type Dockerode from 'dockerode'
import { abortable } from '../../core/abortable.ts'
import { AgentError } from '../../core/errors.ts'
import { startDeadline } from '../deadline.ts'
import { dockerTimeout, socketInvalid, translate } from './errors.ts'
import { withWholeAnswers } from './whole-answers.ts'

interface RequestOptions {
  /** Milliseconds until `docker-timeout`; `Infinity` if the caller watches the request itself. */
  timeoutMs?: number
  /** Ends the request; its reason is then what is thrown. */
  signal?: AbortSignal
}

/**
 * Runs one request. `what` completes "cannot ...". Throws AgentError only: `docker-unreachable`,
 * `docker-denied`, `docker-socket-invalid`, `docker-timeout`, `docker-answer-invalid`, or an EngineError with the
 * Engine's answer.
 */
export type Request = <T>(
  what: string,
  run: (engine: Dockerode, abortSignal: AbortSignal) => Promise<T>,
  options?: RequestOptions,
) => Promise<T>

/** The newest API version whose documents this adapter was written against (Docker 28.3). */
const newestKnownApi = '1.51'

/** Requests to one Engine at one socket. Nothing is loaded or dialled before the first one. */
export function requestsTo(socket: string, defaultTimeoutMs: number): Request {
  let engine: Promise<Dockerode> | undefined

  const opened = () => {
    engine ??= openEngine(socket).catch((error: unknown) => {
      engine = undefined
      throw error
    })
    return engine
  }

  return async (what, run, options = {}) => {
    const timeoutMs = options.timeoutMs ?? defaultTimeoutMs
    const deadline = startDeadline(timeoutMs)
    const abortSignal = options.signal ? AbortSignal.any([options.signal, deadline.signal]) : deadline.signal
    try {
      abortSignal.throwIfAborted()
      // the library does not settle every request, such as one that is answered by 101
      return await abortable(
        opened().then((engine) => run(engine, abortSignal)),
        abortSignal,
      )
    } catch (error) {
      options.signal?.throwIfAborted()
      const translated = deadline.signal.aborted
        ? dockerTimeout(what, timeoutMs)
        : translate(error, what, socket)
      if (isStale(translated)) engine = undefined
      throw translated
    } finally {
      deadline.clear()
    }
  }
}

/** After these the next request asks the Engine for its version again: it may be another Engine by then. */
function isStale(error: Error): boolean {
  const codes = ['docker-unreachable', 'docker-timeout', 'docker-api-version']
  return error instanceof AgentError && codes.includes(error.code)
}

async function openEngine(socket: string): Promise<Dockerode> {
  await checkSocket(socket)
  const { default: Engine } = await import('dockerode')
  const options = { socketPath: socket, agent: new QuietAgent({ keepAlive: true }), ...notFromEnvironment }
  const asked = withWholeAnswers(new Engine(options))
  const version = (await asked.version()) as Partial<Record<keyof EngineVersion, unknown>>
  const { ApiVersion, MinAPIVersion, Components } = version
  refusePodman(Components, socket)
  if (!isVersion(ApiVersion) || (MinAPIVersion !== undefined && !isVersion(MinAPIVersion))) {
    throw socketInvalid(socket, 'the program that listens there is not Docker', "use Docker Engine's socket")
  }
  return withWholeAnswers(new Engine({ ...options, version: `v${negotiate(ApiVersion, MinAPIVersion)}` }))
}

function isVersion(value: unknown): value is string {
  return typeof value === 'string' && /^\d+\.\d+$/.test(value)
}

/** Given explicitly, or DOCKER_HOST and the like would override the requested socket. */
const notFromEnvironment = { host: undefined, protocol: 'http', timeout: undefined } as const

/** It speaks Docker's API, but not all of it: restart policies, health and exits differ. */
function refusePodman(components: unknown, socket: string): void {
  const all = Array.isArray(components) ? (components as (Component | null)[]) : []
  const podman = all.find((one) => /podman/i.test(one?.Name ?? ''))
  if (!podman) return
  const name = `${podman.Name ?? ''} ${podman.Version ?? ''}`.trim()
  throw new AgentError(
    'engine-unsupported',
    `cannot use ${socket}: it is the socket of ${name}, and the agent works only with Docker Engine`,
    {
      fix: 'set docker.socket in the config, or --docker-socket, to the socket of Docker Engine; with Podman, upgrade calico/node by hand',
    },
  )
}

interface Component {
  Name?: string
  Version?: string
}

interface EngineVersion {
  ApiVersion: string
  /** Absent before Docker 1.13. */
  MinAPIVersion?: string
  /** Absent before Docker 18.02. */
  Components?: Component[]
}

/**
 * A fixed version keeps what is inspected and what is created in one dialect, and an Engine newer than this
 * adapter from changing the documents under it.
 */
export function negotiate(engines: string, enginesOldest = '0.0'): string {
  const known = isOlder(engines, newestKnownApi) ? engines : newestKnownApi
  return isOlder(known, enginesOldest) ? enginesOldest : known
}

function isOlder(one: string, other: string): boolean {
  const [major = 0, minor = 0] = one.split('.').map(Number)
  const [otherMajor = 0, otherMinor = 0] = other.split('.').map(Number)
  return major < otherMajor || (major === otherMajor && minor < otherMinor)
}

/** A path that cannot be a socket is distinguished from an Engine that is not running: `systemctl start` fixes only the latter. */
async function checkSocket(socket: string): Promise<void> {
  const stat = await lstat(socket).catch(() => undefined)
  // missing, or not accessible: connecting shows which
  if (stat === undefined || stat.isSocket()) return
  if (stat.isSymbolicLink()) {
    const target = await readlink(socket)
    throw socketInvalid(socket, `it is a symbolic link to ${target}`, 'use the path that it points to')
  }
  const kind = stat.isDirectory() ? 'a directory' : stat.isFile() ? 'a regular file' : 'not a socket'
  throw socketInvalid(socket, `it is ${kind}`, 'set the path of the socket, /var/run/docker.sock by default')
}

/** docker-modem renders every request's options for its debug log, logged or not: 1.7 ms a call for a plain agent. */
class QuietAgent extends Agent {
  [inspect.custom](): string {
    return 'QuietAgent'
  }
}
