import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { hostname } from 'node:os'
import { AgentError } from '../core/errors.ts'
import { messageOf } from '../core/message-of.ts'
import { shownJson } from '../report/json.ts'
import { oneLine } from '../report/text.ts'
import { isAskedAs } from './asked-as.ts'
import { limitConnections } from './connections.ts'
import { clearPlace } from './socket-place.ts'

export interface Answer {
  status: number
  contentType: string
  text: string
}

/** What is served, by path; a page is given the Accept header of the request. */
export type Pages = Record<string, (accept: string | undefined) => Promise<Answer>>

/** One place to listen on: the unix socket, or a TCP address. */
export interface Listener {
  close(): Promise<void>
}

/** A unix socket that root alone can use. One that a killed service left is replaced, a live one is not. */
export async function listenAtSocket(path: string, pages: Pages): Promise<Listener> {
  const listen = async (server: Server): Promise<void> => {
    await clearPlace(path)
    listenPrivately(server, path)
  }
  return listener(await listening({ pages, isMeant: () => true }, listen, path))
}

/** listen() creates the file with the umask applied: others can connect at no moment. */
function listenPrivately(server: Server, path: string): void {
  const umask = process.umask(0o177)
  try {
    server.listen(path)
  } finally {
    process.umask(umask)
  }
}

/** `address` is `HOST:PORT`, an IPv6 address in brackets. */
export async function listenAtTcp(address: string, pages: Pages): Promise<Listener> {
  const colon = address.lastIndexOf(':')
  const host = address.slice(0, colon).replace(/^\[|\]$/g, '')
  const port = Number(address.slice(colon + 1))
  const listen = (server: Server): void => {
    server.listen({ host, port })
  }
  const isMeant = ({ headers }: IncomingMessage): boolean => isAskedAs(headers.host, hostname(), host)
  return listener(await listening({ pages, isMeant }, listen, address))
}

interface Served {
  pages: Pages
  /** A browser cannot reach a unix socket; it can reach TCP. */
  isMeant: (request: IncomingMessage) => boolean
}

async function listening(
  served: Served,
  listen: (server: Server) => void | Promise<void>,
  where: string,
): Promise<Server> {
  const options = { connectionsCheckingInterval: 1_000 }
  const server = createServer(options, (request, response) => void answer(served, request, response))
  limitConnections(server)
  try {
    const opened = once(server, 'listening')
    await Promise.all([opened, listen(server)])
  } catch (cause) {
    if (cause instanceof AgentError) throw cause
    throw new AgentError('cannot-serve', `cannot listen on ${where}: ${(cause as Error).message}`, {
      fix: 'set other addresses with service.socket and service.listen in the config',
      cause,
    })
  }
  return server
}

function listener(server: Server): Listener {
  return {
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

async function answer(
  { pages, isMeant }: Served,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const pathname = request.url?.split('?')[0] ?? '/'
  const page = Object.hasOwn(pages, pathname) ? pages[pathname] : undefined
  const { status, contentType, text } = isMeant(request)
    ? await answerOf(request, page)
    : plain(421, "use an address, or this host's name")
  // one request a connection: a body that follows is not read
  const headers = { 'content-type': contentType, 'cache-control': 'no-store', connection: 'close' }
  response.writeHead(status, headers)
  response.end(request.method === 'HEAD' ? '' : text)
}

async function answerOf(
  { method, headers }: IncomingMessage,
  page: Pages[string] | undefined,
): Promise<Answer> {
  if (page === undefined) return plain(404, 'not found; available: /metrics, /healthz and /status')
  if (method !== 'GET' && method !== 'HEAD') return plain(405, 'read-only: use GET')
  if (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0)
    return plain(413, 'a request body is not allowed')
  try {
    return await page(headers.accept)
  } catch (error) {
    return plain(500, oneLine(messageOf(error)))
  }
}

export function plain(status: number, text: string): Answer {
  return { status, contentType: 'text/plain; charset=utf-8', text: `${text}\n` }
}

export function json(value: unknown): Answer {
  return { status: 200, contentType: 'application/json', text: `${shownJson(value)}\n` }
}
