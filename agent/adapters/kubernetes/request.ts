import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { abortable } from '../../core/abortable.ts'
import { AgentError } from '../../core/errors.ts'
import { type Deadline, startDeadline } from '../deadline.ts'
import { type Answer, type Call, unreachable } from './answer.ts'
import type { Credential } from './credential.ts'

/** For the whole of one call: an API server that is busy answers within 1 s, one that hangs is not waited for. */
const DEADLINE_MS = 5_000
/** A list of thousands of Nodes. */
const MAX_BYTES = 64 * 1024 * 1024

/** One request, and the whole of its answer. @throws AgentError `kubernetes-unreachable` */
export async function send(call: Call, credential: Credential): Promise<Answer> {
  const deadline = startDeadline(DEADLINE_MS)
  const { signal } = deadline
  try {
    // a plugin of the kubeconfig may hang as well
    const options = await abortable(credential.options(), signal)
    return await exchange(call, credential.server, { ...options, signal })
  } catch (error) {
    if (error instanceof AgentError) throw error
    throw unreachable(credential, reasonOf(error, deadline))
  } finally {
    deadline.clear()
  }
}

const METHODS: Record<Call['verb'], string> = {
  get: 'GET',
  list: 'GET',
  create: 'POST',
  patch: 'PATCH',
  delete: 'DELETE',
}

function exchange(
  { verb, path, body, type = 'application/json' }: Call,
  server: string,
  options: Awaited<ReturnType<Credential['options']>> & { signal: AbortSignal },
): Promise<Answer> {
  const url = new URL(server.replace(/\/$/, '') + path)
  const text = body === undefined ? undefined : JSON.stringify(body)
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      ...options,
      method: METHODS[verb],
      headers: {
        ...options.headers,
        Accept: 'application/json',
        // of a DELETE Node does not send the length by itself, and the server takes its body for the next request
        ...(text !== undefined && { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text) }),
      },
    })
    sent.on('error', reject)
    sent.on('response', (response) => {
      read(response).then(resolve, reject)
    })
    sent.end(text)
  })
}

async function read(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = []
  let total = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    total += chunk.length
    if (total > MAX_BYTES) throw new Error(`its answer is larger than ${MAX_BYTES} bytes`)
    chunks.push(chunk)
  }
  return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }
}

function reasonOf(error: unknown, { signal }: Deadline): string {
  if (signal.aborted) return `it did not answer within ${DEADLINE_MS / 1000} s`
  // of several addresses each has failed: the message of the whole is empty
  const first = error instanceof AggregateError ? (error.errors as unknown[])[0] : error
  return first instanceof Error ? first.message : String(first)
}
