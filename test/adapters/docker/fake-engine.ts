import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectDocker } from '../../../agent/adapters/docker/engine.ts'
import type { ImageJson } from '../../../agent/core/docker/json.ts'
import type { Docker } from '../../../agent/ports/docker.ts'

export interface Call {
  method: string
  /** Decoded, without the API version. */
  path: string
  query: URLSearchParams
  headers: IncomingMessage['headers']
  body: string
}

export type Reply = (call: Call, response: ServerResponse) => void

/** A server at the wire: it answers on a unix socket with replies that were recorded from Engine 20.10. */
export interface FakeEngine {
  socket: string
  directory: string
  calls: Call[]
  /** `GET /info` -> how it is answered; the version before the path is left out. */
  on(route: string, reply: Reply): void
  /** How all else is answered; by default with a 404. */
  otherwise(reply: Reply): void
  close(): Promise<void>
}

export async function startFakeEngine(apiVersion = '1.41'): Promise<FakeEngine> {
  const directory = await mkdtemp(join(tmpdir(), 'engine-'))
  const socket = join(directory, 'docker.sock')
  const replies = new Map<string, Reply>()
  const calls: Call[] = []
  let otherwise = json(404, { message: 'page not found' })
  const server = createServer((request, response) => {
    void readCall(request).then((call) => {
      calls.push(call)
      const reply = replies.get(`${call.method} ${call.path}`) ?? otherwise
      reply(call, response)
    })
  })
  replies.set('GET /version', json(200, { ApiVersion: apiVersion, MinAPIVersion: '1.12' }))
  await new Promise<void>((resolve) => server.listen(socket, resolve))
  return {
    socket,
    directory,
    calls,
    on: (route, reply) => replies.set(route, reply),
    otherwise: (reply) => {
      otherwise = reply
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await rm(directory, { recursive: true, force: true })
    },
  }
}

async function readCall(request: IncomingMessage): Promise<Call> {
  const url = new URL(request.url ?? '/', 'http://engine')
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  return {
    method: request.method ?? '',
    path: decodeURIComponent(url.pathname.replace(/^\/v\d+\.\d+/, '')),
    query: url.searchParams,
    headers: { ...request.headers, ':path': request.url },
    body: Buffer.concat(chunks).toString(),
  }
}

/** No test waits for these: what a busy machine takes longer for must not pass for a silent registry. */
const PATIENT_MS = 60_000

/** The adapter on it, without pauses between tries. A test of silence asks for waits that it can sit through. */
export function connectTo(
  engine: FakeEngine,
  { stallMs = PATIENT_MS, limitMs = PATIENT_MS, silenceMs = PATIENT_MS } = {},
): Docker {
  return connectDocker({
    ...engine,
    configDir: engine.directory,
    pull: { retries: 2, backoffMs: 1, stallMs },
    lookUp: { limitMs, silenceMs, backoffMs: 1 },
  })
}

export function json(status: number, body: unknown): Reply {
  return (_call, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }
}

/** No body, as after a kill or a start. */
export function empty(status: number): Reply {
  return (_call, response) => {
    response.writeHead(status).end()
  }
}

/** Never answers. */
export function silence(): Reply {
  return () => undefined
}

export function hangUp(): Reply {
  return (_call, response) => {
    response.destroy()
  }
}

/** The headers of an answer, and no more than half of its body. */
export function cut(body: 'no body' | 'half a body', headers: Record<string, string> = {}): Reply {
  return (_call, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000, ...headers })
    response.flushHeaders()
    if (body === 'half a body') response.write('{"Id": "')
    // what was written goes out first
    setTimeout(() => response.destroy(), 20)
  }
}

/** The least that an inspected image has. */
export const imageSample: ImageJson = {
  ...{ Id: 'sha256:1', RepoTags: [], RepoDigests: [], Architecture: 'amd64', Os: 'linux', Size: 1 },
  Config: null,
}

/** The stream of a pull: one line for each event, then the end as asked. */
export function lines(events: object[], end: 'close' | 'cut' | 'stall' = 'close'): Reply {
  return (_call, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.write(events.map((event) => `${JSON.stringify(event)}\r\n`).join(''), () => {
      if (end === 'close') response.end()
      if (end === 'cut') response.destroy()
    })
  }
}

/** Answers the first call with the first reply, and so on; the last one stays. */
export function inTurn(...turns: [Reply, ...Reply[]]): Reply {
  let next = 0
  return (call, response) => {
    const reply = turns[Math.min(next, turns.length - 1)] ?? turns[0]
    next += 1
    reply(call, response)
  }
}
