// Whoever listens at Felix's health port: no answer of his ends the agent, or holds it up.

import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import type { Report } from '../../agent/core/report/report.ts'
import { exitCodeOf } from '../../agent/stories/run-report.ts'
import { NEW, type ProgramWorld, start, startProgramWorld } from './program.ts'

let world: ProgramWorld
let server: Server
const sockets: Socket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  server.close()
  await world.engine.close()
})

async function listen(answer: (socket: Socket) => void, host = '127.0.0.1'): Promise<string> {
  server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
    answer(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  return String((server.address() as { port: number }).port)
}

const never = (socket: Socket): void => {
  const timer = setInterval(() => socket.write('HTTP/1.1 100 Continue\r\n\r\n'), 100)
  socket.on('close', () => {
    clearInterval(timer)
  })
}

it.each<[string, (socket: Socket) => void]>([
  [
    '101',
    (socket) => socket.end('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),
  ],
  ['100 without end', never],
])('%s comes to a verdict', async (_, answer) => {
  const port = await listen(answer)
  world = await startProgramWorld(['FELIX_HEALTHENABLED=true', `FELIX_HEALTHPORT=${port}`])
  const argv = world.argv('upgrade', '--node', NEW, '--window', '10', '--json')
  const { code, stdout, stderr } = await start(argv, world.env).ended
  expect(stdout, stderr).not.toBe('')
  const report = JSON.parse(stdout) as Report
  expect(code).toBe(exitCodeOf(report))
  expect(report.run).not.toBeNull()
})

it('an IPv6 address is asked', async () => {
  const port = await listen((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'), '::1')
  const env = ['FELIX_HEALTHENABLED=true', 'FELIX_HEALTHHOST=::1', `FELIX_HEALTHPORT=${port}`]
  world = await startProgramWorld(env)
  const { code, stderr } = await start(world.argv('upgrade', '--node', NEW, '--json'), world.env).ended
  expect(code, stderr).toBe(0)
  expect(sockets.length).toBeGreaterThan(0)
})
