import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

const MAX_CONNECTIONS = 32
/** For the whole of a request; it has no body. */
const REQUEST_MS = 5_000
/** Without a byte in either direction: a look at a host whose Docker is slow takes a while. */
const SILENT_MS = 60_000

/**
 * Prevents slow clients from blocking others: if there are too many connections, closes the one that has waited longest
 * without a request in progress. Each connection is for one request.
 */
export function limitConnections(server: Server): void {
  server.requestTimeout = REQUEST_MS
  server.headersTimeout = REQUEST_MS
  server.timeout = SILENT_MS
  const open = new Set<Socket>()
  const asking = new Set<Socket>()
  server.on('connection', (socket) => {
    if (open.size >= MAX_CONNECTIONS) ([...open].find((one) => !asking.has(one)) ?? socket).destroy()
    open.add(socket)
    socket.once('close', () => {
      open.delete(socket)
      asking.delete(socket)
    })
  })
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    asking.add(socket)
    response.once('prefinish', () => asking.delete(socket))
  })
}
