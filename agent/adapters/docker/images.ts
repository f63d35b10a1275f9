import type { ImageJson } from '../../core/docker-json.ts'
import { AgentError } from '../../core/errors.ts'
import {
  familiarName,
  formatImageRef,
  type ImageRef,
  parseImageRef,
  registryKey,
} from '../../core/image-ref.ts'
import type { Docker, RemoteImage } from '../../ports/docker.ts'
import type { Request } from './connection.ts'
import type { RegistryLogin } from './credential-helper.ts'
import { EngineError, whenRefused } from './errors.ts'
import { getJson } from './get-json.ts'
import { registryError } from './registry-errors.ts'

type ImageCalls = Pick<Docker, 'inspectImage' | 'inspectRemoteImage' | 'removeImage'>

/** Deleting a large image's layers takes longer than any look-up. */
const removalTimeoutMs = 120_000
/** The Engine asks the registry, twice if the first answer is a challenge. */
const registryTimeoutMs = 60_000
/** Of a registry that is overloaded: 7 s at the pull's backoff. One that is not there is not asked again. */
const lookUpRetries = 3

/** The calls on images but the pull. An image may be given by reference or by id. */
export function imageCalls(
  request: Request,
  loginFor: (registry: string) => Promise<RegistryLogin | undefined>,
  { backoffMs }: { backoffMs: number },
): ImageCalls {
  return {
    async inspectImage(ref) {
      const found = await request(`inspect image ${ref}`, (engine, abortSignal) =>
        getJson(engine, `/images/${pathOf(ref)}/json`, abortSignal),
      ).catch(whenRefused(404, /no such image/i, undefined))
      return found as ImageJson | undefined
    },

    async inspectRemoteImage(text, signal) {
      const ref = parseImageRef(text)
      const what = `ask ${ref.registry} about ${formatImageRef(ref)}`
      const login = await loginFor(registryKey(ref))
      const path = `/distribution/${nameOf(ref)}/json`
      const lookUp = () =>
        request(what, (engine, abortSignal) => getJson(engine, path, abortSignal, login), {
          signal,
          timeoutMs: registryTimeoutMs,
        }).catch((error: unknown) => {
          throw error instanceof EngineError ? lookUpError(what, ref, error) : error
        })
      const { default: pRetry } = await import('p-retry')
      const found = (await pRetry(lookUp, {
        retries: lookUpRetries,
        minTimeout: backoffMs,
        signal,
        shouldRetry: ({ error }) => isPassing(error),
      })) as Distribution
      return { digest: found.Descriptor.digest, platforms: platformsOf(found.Platforms ?? []) }
    },

    async removeImage(ref) {
      return await request(
        `remove image ${ref}`,
        (engine, abortSignal) =>
          engine
            .getImage(pathOf(ref))
            .remove({ force: false, abortSignal })
            .then(() => true),
        { timeoutMs: removalTimeoutMs },
      )
        .catch(whenRefused(404, /no such image/i, false))
        .catch(whenRefused(409, /unable to (remove|delete)|in use|is using/i, false))
    },
  }
}

/** A registry that refuses is gone; one that did not answer in the Engine's 15 s may answer the next time. */
function isPassing(error: unknown): boolean {
  if (!(error instanceof AgentError)) return false
  if (error.code === 'registry-unreachable')
    return /i\/o timeout|client\.timeout|deadline exceeded/i.test(error.message)
  return ['registry-throttled', 'registry-failed'].includes(error.code)
}

/** The Engine's routes take the slashes of a reference as they are. */
function pathOf(ref: string): string {
  return ref.split('/').map(encodeURIComponent).join('/')
}

/** A digest decides over a tag: the registry is asked for one of them. */
function nameOf(ref: ImageRef): string {
  return familiarName(ref) + (ref.digest === undefined ? `:${ref.tag ?? 'latest'}` : `@${ref.digest}`)
}

/** The reply of `GET /distribution/{name}/json`, Engine API 1.30 and later. */
interface Distribution {
  Descriptor: { digest: string }
  Platforms: RemotePlatform[] | null
}

interface RemotePlatform {
  os?: string
  architecture?: string
}

/** Attestations are listed as unknown/unknown: they are no platform to run on. */
function platformsOf(platforms: RemotePlatform[]): RemoteImage['platforms'] {
  const named = platforms.filter(({ os, architecture }) => os && architecture && os !== 'unknown')
  return [...new Set(named.map(({ os, architecture }) => `${os ?? ''}/${architecture ?? ''}`))]
}

function lookUpError(what: string, ref: ImageRef, error: EngineError): AgentError {
  if (!/page not found/i.test(error.reply)) return registryError(what, ref, error.reply, error)
  return new AgentError(
    'registry-lookup-unsupported',
    `cannot ${what}: Docker before 17.06 cannot look into a registry`,
    {
      fix: `docker pull ${formatImageRef(ref)}, then run the command again: an image that is here needs no look`,
      cause: error,
    },
  )
}
