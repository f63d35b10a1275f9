import {
  familiarName,
  formatImageRef,
  type ImageRef,
  parseImageRef,
  registryKey,
} from '../../core/docker/image-ref.ts'
import { AgentError } from '../../core/errors.ts'
import type { Docker, LookUpWait, RemoteImage } from '../../ports/docker.ts'
import { startDeadline } from '../deadline.ts'
import { checkAnswer, type Shape } from './answer.ts'
import type { Request } from './connection.ts'
import type { RegistryLogin } from './credential-helper.ts'
import { EngineError } from './errors.ts'
import { getJson } from './get-json.ts'
import { registryError, registrySilent } from './registry-errors.ts'

export interface LookUpOptions {
  /** All tries together: an Engine waits 15 s for a registry that does not answer, or twice as long. */
  limitMs: number
  /** After this long without an answer, report it. */
  silenceMs: number
  /** Before the first repetition; doubled for each further one. */
  backoffMs: number
}

/** For an overloaded registry. One that does not exist is not asked again. */
const RETRIES = 3

type LoginFor = (registry: string) => Promise<RegistryLogin | undefined>

/** Asks with the operator's login, and again if the answer may differ a moment later. */
export function lookUpCall(
  request: Request,
  loginFor: LoginFor,
  options: LookUpOptions,
): Docker['inspectRemoteImage'] {
  return async (text, onWait, signal) => {
    const ref = parseImageRef(text)
    const what = `query ${ref.registry} for ${formatImageRef(ref)}`
    const login = await loginFor(registryKey(ref))
    const path = `/distribution/${nameOf(ref)}/json`
    const lookUp = (within: AbortSignal) =>
      request(what, (engine, abortSignal) => getJson(engine, path, abortSignal, login), {
        signal: within,
        timeoutMs: Infinity,
      }).catch((error: unknown) => {
        throw error instanceof EngineError ? lookUpError(what, ref, error) : error
      })
    const silent = registrySilent(what, ref, options.limitMs)
    const answer = await tryInTime(lookUp, { ...options, onWait, signal, silent })
    const found = checkAnswer(what, answer, distributionShape) as Distribution
    return { digest: found.Descriptor.digest, platforms: platformsOf(found.Platforms ?? []) }
  }
}

interface Tries extends LookUpOptions {
  onWait: (wait: LookUpWait) => void
  signal: AbortSignal
  /** Thrown when the time is over, unless a try has said why it failed. */
  silent: AgentError
}

async function tryInTime(lookUp: (within: AbortSignal) => Promise<unknown>, tries: Tries): Promise<unknown> {
  const { limitMs, silenceMs, backoffMs, onWait, signal } = tries
  const limit = startDeadline(limitMs)
  const within = AbortSignal.any([signal, limit.signal])
  const silence = setTimeout(onWait, silenceMs, { limitMs })
  let reason: Error = tries.silent
  const { default: pRetry } = await import('p-retry')
  try {
    return await pRetry(() => lookUp(within), {
      retries: RETRIES,
      minTimeout: backoffMs,
      signal: within,
      shouldRetry: ({ error }) => isPassing(error),
      onFailedAttempt: ({ error, attemptNumber, retriesLeft }) => {
        if (retriesLeft === 0 || !isPassing(error)) return
        reason = error
        onWait({ limitMs, retry: { attempt: attemptNumber, reason: error.message } })
      },
    })
  } catch (error) {
    throw limit.signal.aborted && !signal.aborted ? reason : error
  } finally {
    limit.clear()
    clearTimeout(silence)
  }
}

/** A registry that refuses is gone; one that did not answer in the Engine's 15 s may answer the next time. */
function isPassing(error: unknown): boolean {
  if (!(error instanceof AgentError)) return false
  if (error.code === 'registry-unreachable')
    return /i\/o timeout|client\.timeout|deadline exceeded/i.test(error.message)
  return ['registry-throttled', 'registry-failed'].includes(error.code)
}

/** A digest decides over a tag: the registry is asked for one of them. */
function nameOf(ref: ImageRef): string {
  return familiarName(ref) + (ref.digest === undefined ? `:${ref.tag ?? 'latest'}` : `@${ref.digest}`)
}

/** The reply of `GET /distribution/{name}/json`, Engine API 1.30 and later. */
interface Distribution {
  Descriptor: { digest: string }
  Platforms?: (RemotePlatform | null)[] | null
}

const distributionShape: Shape = { Descriptor: { digest: 'string' }, Platforms: 'array?' }

interface RemotePlatform {
  os?: string
  architecture?: string
}

/** Attestations are listed as unknown/unknown: they are no platform to run on. */
function platformsOf(platforms: (RemotePlatform | null)[]): RemoteImage['platforms'] {
  const named = platforms.filter((one) => one?.os && one.architecture && one.os !== 'unknown')
  return [...new Set(named.map((one) => `${one?.os ?? ''}/${one?.architecture ?? ''}`))]
}

function lookUpError(what: string, ref: ImageRef, error: EngineError): AgentError {
  if (!/page not found/i.test(error.reply)) return registryError(what, ref, error.reply, error)
  return new AgentError(
    'registry-lookup-unsupported',
    `cannot ${what}: Docker before 17.06 cannot query a registry`,
    {
      fix: `docker pull ${formatImageRef(ref)}, then run the command again: a local image needs no query`,
      cause: error,
    },
  )
}
