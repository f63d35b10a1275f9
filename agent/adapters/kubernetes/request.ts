import { abortable } from '../../core/abortable.ts'
import { AgentError } from '../../core/errors.ts'
import { within } from '../deadline.ts'
import { answerOf, exchange, linesOf, openResponse, reasonOf } from '../http.ts'
import { type Answer, type Call, objectOf, unreachable } from './answer.ts'
import type { Credential } from './credential.ts'

/** For the whole of one call: an API server that is busy answers within 1 s, one that hangs is not waited for. */
const DEADLINE_MS = 5_000
/** A list of thousands of Nodes. */
const MAX_BYTES = 64 * 1024 * 1024

const METHODS: Record<Call['verb'], string> = {
  get: 'GET',
  list: 'GET',
  watch: 'GET',
  create: 'POST',
  patch: 'PATCH',
  delete: 'DELETE',
}

/** One request, and the whole of its answer. @throws AgentError `kubernetes-unreachable` */
export async function send(call: Call, credential: Credential): Promise<Answer> {
  try {
    return await within(
      DEADLINE_MS,
      async (signal) =>
        await exchange(urlOf(call, credential), await requestOf(call, credential, signal), MAX_BYTES),
    )
  } catch (error) {
    if (error instanceof AgentError) throw error
    throw unreachable(credential, reasonOf(error))
  }
}

/**
 * The lines of an answer that goes on until the API server, or the signal, ends it. @throws AgentError
 * `kubernetes-unreachable`, `kubernetes-forbidden`
 */
export async function* follow(
  call: Call,
  credential: Credential,
  signal: AbortSignal,
): AsyncGenerator<string> {
  try {
    const response = await within(DEADLINE_MS, async (late) => {
      const request = await requestOf(call, credential, AbortSignal.any([signal, late]))
      return await openResponse(urlOf(call, credential), request)
    })
    if (response.statusCode !== 200) objectOf(call, await answerOf(response, MAX_BYTES), credential)
    yield* linesOf(response, MAX_BYTES)
  } catch (error) {
    if (error instanceof AgentError || signal.aborted) throw error
    throw unreachable(credential, reasonOf(error))
  }
}

async function requestOf({ verb, body, type }: Call, credential: Credential, signal: AbortSignal) {
  // a plugin of the kubeconfig may hang as well
  const { headers, ...options } = await abortable(credential.options(), signal)
  return {
    ...options,
    method: METHODS[verb],
    headers: {
      ...headers,
      Accept: 'application/json',
      ...(body !== undefined && { 'Content-Type': type ?? 'application/json' }),
    },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal,
  }
}

function urlOf({ path }: Call, { server }: Credential): URL {
  return new URL(server.replace(/\/$/, '') + path)
}
