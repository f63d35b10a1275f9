import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createProbe } from '../../agent/adapters/probe.ts'

// In a network namespace of its own: a wire on which nobody answers, and what the kernel makes of each neighbor.
const ip = (...argv: string[]): string => execFileSync('ip', argv, { encoding: 'utf8' })

ip('link', 'set', 'lo', 'up')
ip('link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth1')
ip('link', 'set', 'eth1', 'up')
ip('link', 'set', 'eth0', 'up')
ip('address', 'add', '192.0.2.1/24', 'dev', 'eth0')
// a host that is there, and whose filter drops what it does not want
ip('neighbor', 'add', '192.0.2.8', 'lladdr', '02:00:00:00:00:08', 'dev', 'eth0', 'nud', 'permanent')

const server = createServer().listen(179, '192.0.2.1')
await once(server, 'listening')
const probe = createProbe()
const reach = (address: string, port: number) => probe.reach(address, port)
const [listens, refuses, drops, nobody, noRoute] = await Promise.all([
  reach('192.0.2.1', 179),
  reach('192.0.2.1', 9),
  reach('192.0.2.8', 9),
  reach('192.0.2.9', 9),
  reach('203.0.113.1', 9),
])
server.close()
process.stdout.write(JSON.stringify({ listens, refuses, drops, nobody, noRoute }))
