import { execFile } from 'node:child_process'
import { createServer, type Server, type Socket } from 'node:net'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createProbe } from '../../agent/adapters/probe.ts'

let server: Server
let sockets: Set<Socket>
let answer: (socket: Socket) => void
const timers = new Set<NodeJS.Timeout>()

beforeEach(async () => {
  sockets = new Set()
  server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    socket.once('data', () => {
      answer(socket)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterEach(async () => {
  for (const timer of timers) clearInterval(timer)
  for (const socket of sockets) socket.destroy()
  await new Promise((resolve) => server.close(resolve))
})

function url(): string {
  return `http://127.0.0.1:${(server.address() as { port: number }).port}/readiness`
}

/** The text again and again, for ever. */
function drip(socket: Socket, next: () => string, ms = 100): void {
  const timer = setInterval(() => {
    if (!socket.destroyed) socket.write(next())
  }, ms)
  timers.add(timer)
}

const head = (status: string, ...fields: string[]): string =>
  [`HTTP/1.1 ${status}`, ...fields, '', ''].join('\r\n')

function characters(text: string): () => string {
  let at = 0
  return () => text[at++ % text.length] ?? ''
}

const answers: [string, (socket: Socket) => void, number | null][] = [
  ['200', (socket) => socket.end(head('200 OK', 'content-length: 0')), 200],
  ['204', (socket) => socket.end(head('204 No Content')), 204],
  ['503', (socket) => socket.end(head('503 Service Unavailable', 'content-length: 0')), 503],
  [
    'a redirect, which is not followed',
    (socket) => socket.end(head('302 Found', `location: ${url()}x`, 'content-length: 0')),
    302,
  ],
  [
    'an upgrade, which is not taken',
    (socket) => socket.write(head('101 Switching Protocols', 'connection: upgrade', 'upgrade: x')),
    101,
  ],
  [
    'a body without end',
    (socket) => {
      socket.write(head('200 OK'))
      drip(socket, () => 'x'.repeat(1000), 1)
    },
    200,
  ],
  ['a body that is cut', (socket) => socket.end(`${head('200 OK', 'content-length: 9')}x`), 200],
  [
    'a head of one byte a moment',
    (socket) => {
      drip(socket, characters(head('200 OK', 'x: y'.repeat(99))))
    },
    null,
  ],
  [
    '100 Continue for ever',
    (socket) => {
      drip(socket, () => head('100 Continue'))
    },
    null,
  ],
  ['fields without end', (socket) => socket.write(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}`), null],
  ['nothing', () => undefined, null],
  ['no HTTP', (socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'), null],
  ['a reset', (socket) => socket.resetAndDestroy(), null],
  ['an end before it began', (socket) => socket.end(), null],
]

describe('the status over HTTP', () => {
  it.each(answers)('%s', async (_what, reply, status) => {
    answer = reply
    expect(await createProbe().httpStatus(url())).toBe(status)
    // nothing goes on behind it
    await expect.poll(() => sockets.size).toBe(0)
  })

  it.each(['', 'no url', 'http://', 'http://::1:9099/', 'http://[::1]:x/', 'https://127.0.0.1/', 'ftp://x/'])(
    'of %j is none',
    async (text) => {
      expect(await createProbe().httpStatus(text)).toBeNull()
    },
  )

  it('is none where nobody listens', async () => {
    const closed = url()
    await new Promise((resolve) => server.close(resolve))
    expect(await createProbe().httpStatus(closed)).toBeNull()
    server.listen(0)
  })

  it('is waited for where nothing else keeps the process alive', async () => {
    answer = (socket) => socket.write(head('101 Switching Protocols', 'connection: upgrade', 'upgrade: x'))
    const module = new URL('../../agent/adapters/probe.ts', import.meta.url).href
    const node = new URL('../../node_modules/.bin/node', import.meta.url).pathname
    const script = `const { createProbe } = await import('${module}')
      console.log(await createProbe().httpStatus('${url()}'))`
    const { stdout } = await promisify(execFile)(node, ['--input-type=module', '-e', script])
    expect(stdout).toBe('101\n')
  })
})
