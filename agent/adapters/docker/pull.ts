import type Dockerode from 'dockerode'
import {
  familiarName,
  formatImageRef,
  type ImageRef,
  parseImageRef,
  registryKey,
} from '../../core/docker/image-ref.ts'
import { AgentError } from '../../core/errors.ts'
import type { Docker, PullProgress } from '../../ports/docker.ts'
import type { Request } from './connection.ts'
import type { RegistryLogin } from './credential-helper.ts'
import { type PullEvent, PullTotals } from './pull-progress.ts'
import { isWorthRetrying, orRegistryError, pullCut, pullStalled, registryError } from './registry-errors.ts'

export interface PullOptions {
  /** Tries after the first one. */
  retries: number
  /** Before the first repetition; doubled for each further one. */
  backoffMs: number
  /** A pull without progress for this long is given up and repeated. */
  stallMs: number
}

type LoginFor = (registry: string) => Promise<RegistryLogin | undefined>
type OnProgress = (progress: PullProgress) => void

/** Pulls with the operator's login, and repeats after transient errors: throttling, 5xx, time-outs, cuts, stalls. */
export function pullCall(request: Request, loginFor: LoginFor, options: PullOptions): Docker['pullImage'] {
  return async (text, onProgress, signal) => {
    const ref = parseImageRef(text)
    const login = await loginFor(registryKey(ref))
    const { default: pRetry } = await import('p-retry')
    let totals = new PullTotals()
    await pRetry(
      async () => {
        totals = new PullTotals()
        await pullOnce(request, { ref, login, totals, onProgress, signal, stallMs: options.stallMs })
      },
      {
        retries: options.retries,
        minTimeout: options.backoffMs,
        signal,
        shouldRetry: ({ error }) => isWorthRetrying(error),
        onFailedAttempt: ({ error, attemptNumber, retriesLeft }) => {
          if (retriesLeft === 0 || !isWorthRetrying(error)) return
          onProgress({ ...totals.sum(), retry: { attempt: attemptNumber, reason: error.message } })
        },
      },
    )
  }
}

interface Try {
  ref: ImageRef
  login: RegistryLogin | undefined
  totals: PullTotals
  onProgress: OnProgress
  signal: AbortSignal
  stallMs: number
}

async function pullOnce(request: Request, { ref, login, signal, stallMs, ...rest }: Try): Promise<void> {
  const what = `pull ${formatImageRef(ref)}`
  const stall = new AbortController()
  const timer = setTimeout(() => {
    stall.abort(pullStalled(what, stallMs))
  }, stallMs)
  const either = AbortSignal.any([signal, stall.signal])
  try {
    await request(
      what,
      async (engine, abortSignal) => {
        const stream = await startPull(engine, ref, login, abortSignal)
        await followPull(stream, what, ref, (event) => {
          timer.refresh()
          rest.totals.record(event)
          rest.onProgress(rest.totals.sum())
        })
      },
      { timeoutMs: Infinity, signal: either },
    ).catch(orRegistryError(what, ref))
  } finally {
    clearTimeout(timer)
  }
}

/** A digest takes the place of the tag, and decides if both are given, as in `docker pull`. */
async function startPull(
  engine: Dockerode,
  ref: ImageRef,
  login: RegistryLogin | undefined,
  abortSignal: AbortSignal,
): Promise<NodeJS.ReadableStream> {
  const options = { fromImage: familiarName(ref), tag: ref.digest ?? ref.tag, abortSignal }
  return await engine.createImage(login, options)
}

/** The Engine's status is 200 before anything can fail: what happened is only in the lines. */
async function followPull(
  stream: NodeJS.ReadableStream,
  what: string,
  ref: ImageRef,
  onEvent: (event: PullEvent) => void,
): Promise<void> {
  let done = false
  for await (const event of pullEvents(stream, what)) {
    const failure = event.errorDetail?.message ?? event.error
    if (failure !== undefined) throw registryError(what, ref, failure)
    // "Status: Downloaded newer image for ..." or "Status: Image is up to date for ..." is always the last word
    if (event.status?.startsWith('Status: ') === true) done = true
    onEvent(event)
  }
  if (!done) throw pullCut(what)
}

async function* pullEvents(stream: NodeJS.ReadableStream, what: string): AsyncGenerator<PullEvent> {
  let rest = ''
  stream.setEncoding('utf8')
  try {
    for await (const chunk of stream as AsyncIterable<string>) {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) if (line.trim() !== '') yield parseLine(line)
    }
  } catch (error) {
    throw error instanceof AgentError ? error : pullCut(what, error)
  }
  if (rest.trim() !== '') throw pullCut(what)
}

function parseLine(line: string): PullEvent {
  const event: unknown = JSON.parse(line)
  if (typeof event !== 'object' || event === null) throw new Error(`unexpected line: ${line.slice(0, 80)}`)
  return event
}
