import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest, type RequestOptions } from 'node:https'

/** TLS material and headers go into the options; the body is sent as it is. */
export interface HttpRequest extends Omit<RequestOptions, 'host' | 'path' | 'signal'> {
  body?: string | undefined
  signal: AbortSignal
}

export interface HttpAnswer {
  status: number
  text: string
}

/** Sends one request; resolves to the response, whose body is still to be read. */
export async function openResponse(url: URL, { body, ...options }: HttpRequest): Promise<IncomingMessage> {
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest
  return await new Promise((resolve, reject) => {
    const sent = request(url, {
      ...options,
      // of a DELETE Node does not send the length by itself, and the server takes its body for the next request
      headers: {
        ...(options.headers as object | undefined),
        ...(body !== undefined && { 'Content-Length': Buffer.byteLength(body) }),
      },
    })
    sent.on('error', reject)
    sent.on('response', resolve)
    sent.end(body)
  })
}

/** One request, and the whole of its answer. */
export async function exchange(url: URL, request: HttpRequest, maxBytes: number): Promise<HttpAnswer> {
  return await answerOf(await openResponse(url, request), maxBytes)
}

export async function answerOf(response: IncomingMessage, maxBytes: number): Promise<HttpAnswer> {
  const chunks: Buffer[] = []
  let total = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    total += chunk.length
    if (total > maxBytes) throw new Error(`its answer is larger than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }
}

/** The lines of a response that goes on for as long as both sides want; a last one without its end is left out. */
export async function* linesOf(response: IncomingMessage, maxBytes: number): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of response as AsyncIterable<Buffer>) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > maxBytes) throw new Error(`a line of its answer is larger than ${maxBytes} bytes`)
    yield* lines
  }
}

/** Why there is no answer; of several addresses each has failed, and the message of the whole is empty. */
export function reasonOf(error: unknown): string {
  const first = error instanceof AggregateError ? (error.errors as unknown[])[0] : error
  return first instanceof Error ? first.message : String(first)
}
