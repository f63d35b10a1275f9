import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Interval } from './statistics.ts'

/** From the first byte of a request to the last one of its answer, on performance.now(). */
interface Call extends Interval {
  /** `POST /v1.41/containers/ID/start` */
  what: string
}

export interface CallLog {
  calls: Call[]
  close(): void
}

/** Serves a Docker Engine's API at another socket, and records each call; streams are passed through as they come. */
export async function logCalls(socketPath: string, engineSocket: string): Promise<CallLog> {
  const calls: Call[] = []
  const agent = new Agent({ keepAlive: true })
  const record = (incoming: IncomingMessage, answer: ServerResponse | Duplex): void => {
    const what = `${incoming.method ?? ''} ${incoming.url ?? ''}`
    const start = performance.now()
    answer.once('close', () => calls.push({ what, start, end: performance.now() }))
  }
  const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0 }, (incoming, outgoing) => {
    record(incoming, outgoing)
    forward(incoming, outgoing, engineSocket, agent)
  })
  server.on('upgrade', (incoming: IncomingMessage, client: Duplex, head: Buffer) => {
    record(incoming, client)
    join(incoming, client, head, engineSocket)
  })
  server.listen(socketPath)
  await once(server, 'listening')
  return {
    calls,
    close: () => {
      agent.destroy()
      server.close()
      server.closeAllConnections()
    },
  }
}

function forward(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  socketPath: string,
  agent: Agent,
): void {
  const { method, url: path, headers } = incoming
  const sent = request({ socketPath, agent, method, path, headers }, (response) => {
    outgoing.writeHead(response.statusCode ?? 502, response.rawHeaders)
    outgoing.flushHeaders()
    response.pipe(outgoing)
  })
  sent.on('error', () => outgoing.destroy())
  outgoing.on('close', () => sent.destroy())
  incoming.pipe(sent)
}

/** A hijacked connection (attach, exec) is no HTTP any more: both ends are joined as they are. */
function join(incoming: IncomingMessage, client: Duplex, head: Buffer, engineSocket: string): void {
  const engine = connect(engineSocket)
  const headers = incoming.rawHeaders.map((text, i) => (i % 2 === 0 ? `\r\n${text}: ` : text)).join('')
  engine.write(`${incoming.method ?? ''} ${incoming.url ?? ''} HTTP/1.1${headers}\r\n\r\n`)
  engine.write(head)
  engine.pipe(client).pipe(engine)
  for (const [one, other] of [
    [engine, client],
    [client, engine],
  ] as const)
    one.on('error', () => other.destroy())
}
