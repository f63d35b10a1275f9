// The registry's bad ports, as a process of its own in the lab's network. Argument: the control socket, where
// `GET /` shows the state of all faults, and `PUT /NAME` with a JSON body changes one.

import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { registryAddress, registryPort } from './addresses.ts'
import { defaultFaults, type Fault, type FaultName, faultPorts, registryUser } from './registry-faults.ts'

const state = defaultFaults()
const authorization = `Basic ${Buffer.from(`${registryUser.username}:${registryUser.password}`).toString('base64')}`

for (const name of Object.keys(faultPorts) as FaultName[]) {
  createServer((incoming, outgoing) => {
    answer(name, incoming, outgoing)
  }).listen(faultPorts[name], registryAddress)
}
createServer((incoming, outgoing) => void control(incoming, outgoing)).listen(process.argv[2])

function answer(name: FaultName, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const isContent = /\/(manifests|blobs)\//.test(incoming.url ?? '')
  if (isContent) state[name].requests++
  if (name === 'auth' && incoming.headers.authorization !== authorization) {
    refuse(outgoing, 401, 'UNAUTHORIZED', { 'www-authenticate': 'Basic realm="lab"' })
  } else if (name === 'too-many-requests' && isContent && take(name)) {
    refuse(outgoing, 429, 'TOOMANYREQUESTS', { 'retry-after': '1' })
  } else if (name === 'server-error' && isContent && take(name)) {
    refuse(outgoing, 500, 'UNKNOWN', {})
  } else {
    forward(name, incoming, outgoing)
  }
}

function refuse(
  outgoing: ServerResponse,
  status: number,
  code: string,
  headers: Record<string, string>,
): void {
  outgoing.writeHead(status, { 'content-type': 'application/json', ...headers })
  outgoing.end(JSON.stringify({ errors: [{ code, message: `the lab answers ${status}` }] }))
}

function forward(name: FaultName, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { method, url: path, headers } = incoming
  const target = { host: registryAddress, port: registryPort, method, path, headers }
  const sent = request(target, (response) => {
    outgoing.writeHead(response.statusCode ?? 502, response.headers)
    const isLayer = method === 'GET' && Number(response.headers['content-length'] ?? 0) > 4096
    const body = isLayer ? damaged(name, response) : response
    Readable.from(body)
      .on('error', () => outgoing.destroy())
      .pipe(outgoing)
  })
  sent.on('error', () => outgoing.destroy())
  incoming.pipe(sent)
}

/** The layer as this port sends it. */
async function* damaged(name: FaultName, response: IncomingMessage): AsyncGenerator<Buffer> {
  const broken = (name === 'cut' || name === 'stall') && take(name)
  const half = Number(response.headers['content-length']) / 2
  let sent = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    if (broken && sent + chunk.length > half) {
      yield chunk.subarray(0, Math.max(0, half - sent))
      if (name === 'stall') await sleep(24 * 3600 * 1000)
      throw new Error('the lab cuts the connection here')
    }
    yield chunk
    sent += chunk.length
    if (name === 'slow') await sleep((chunk.length / state.slow.bytesPerSecond) * 1000)
  }
}

/** True if this request is one of those that go wrong. */
function take(name: FaultName): boolean {
  if (state[name].times === 0) return false
  state[name].times--
  return true
}

async function control(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk)
  const name = (incoming.url ?? '/').slice(1)
  if (incoming.method === 'PUT' && name in state) {
    const change = JSON.parse(Buffer.concat(chunks).toString()) as Partial<Fault>
    Object.assign(state[name as FaultName], change, { requests: 0 })
  }
  outgoing.setHeader('content-type', 'application/json')
  outgoing.end(JSON.stringify(state))
}
