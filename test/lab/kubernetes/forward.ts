import type { AddressInfo } from 'node:net'
import { connect, createServer } from 'node:net'
import { launch } from '../exec.ts'
import { onSwitch } from '../net.ts'
import { labPath } from '../paths.ts'

/** Takes connections at a socket file, which is the same in each network, and passes them on. */
const relay = `
const { createServer, connect } = require('node:net')
const [, socket, host, port] = process.argv
const ignore = () => undefined
createServer((client) => client.on('error', ignore).pipe(connect(port, host).on('error', ignore)).pipe(client)).listen(socket)
process.stdin.resume().on('end', () => process.exit())
process.stdout.write('listening')`

/** A server on the switch, for a client in this process: a port of 127.0.0.1. */
export async function forwardFrom(host: string, port: number): Promise<{ port: number; close: () => void }> {
  const socket = labPath(`forward-${process.pid}-${Date.now()}.sock`)
  const relaying = launch(onSwitch([process.execPath, '-e', relay, socket, host, String(port)]))
  await new Promise((resolve) => relaying.stdout.once('data', resolve))
  const server = createServer((client) => {
    const there = connect(socket)
    for (const end of [client, there]) end.on('error', () => [client, there].map((one) => one.destroy()))
    client.pipe(there).pipe(client)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = (): void => {
    relaying.stdin.end()
    server.close()
  }
  return { port: (server.address() as AddressInfo).port, close }
}
