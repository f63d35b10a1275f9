import { mkdir, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { AgentError, ExitCode } from '../core/errors.ts'

export interface Answer {
  status: number
  contentType: string
  text: string
}

/** What is served, by path. */
export type Pages = Record<string, () => Promise<Answer>>

/** One place to be asked at: the unix socket, or a TCP address. */
export interface Listener {
  close(): Promise<void>
}

/** A unix socket that root alone can use. A file that a killed service left is replaced, a live one is not. */
export async function listenAtSocket(path: string, pages: Pages): Promise<Listener> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  if (await isAnswered(path)) {
    throw new AgentError('already-serving', `cannot serve at ${path}: another agent daemon does`, {
      fix: 'systemctl status calico-agent shows it; service.socket in the config names another path',
      exitCode: ExitCode.deferred,
    })
  }
  await rm(path, { force: true })
  return listener(
    await listening(
      pages,
      (server) => {
        listenPrivately(server, path)
      },
      path,
    ),
  )
}

/** listen() makes the file at once, with what the umask leaves: there is no moment in which others could connect. */
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
  return listener(await listening(pages, (server) => void server.listen({ host, port }), address))
}

async function listening(pages: Pages, listen: (server: Server) => void, where: string): Promise<Server> {
  const server = createServer((request, response) => void answer(pages, request, response))
  server.requestTimeout = 5_000
  server.maxConnections = 32
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).once('listening', resolve)
      listen(server)
    })
  } catch (cause) {
    throw new AgentError('cannot-serve', `cannot serve at ${where}: ${(cause as Error).message}`, {
      fix: 'service.socket and service.listen in the config name other places',
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

async function answer(pages: Pages, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const pathname = request.url?.split('?')[0] ?? '/'
  const page = Object.hasOwn(pages, pathname) ? pages[pathname] : undefined
  const { status, contentType, text } = await answerOf(request.method, page)
  response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store' })
  response.end(request.method === 'HEAD' ? '' : text)
}

async function answerOf(method: string | undefined, page: Pages[string] | undefined): Promise<Answer> {
  if (page === undefined) return plain(404, 'there is /metrics, /healthz and /status')
  if (method !== 'GET' && method !== 'HEAD') return plain(405, 'nothing is changed here: use GET')
  try {
    return await page()
  } catch (error) {
    return plain(500, error instanceof Error ? error.message : String(error))
  }
}

export function plain(status: number, text: string): Answer {
  return { status, contentType: 'text/plain; charset=utf-8', text: `${text}\n` }
}

export function json(value: unknown): Answer {
  return { status: 200, contentType: 'application/json', text: `${JSON.stringify(value)}\n` }
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    const end = (answered: boolean) => () => {
      socket.destroy()
      resolve(answered)
    }
    socket.once('connect', end(true)).once('error', end(false))
  })
}
