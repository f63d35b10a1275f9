import { execFileSync } from 'node:child_process'
import { createKernelRoutes } from '../../agent/adapters/kernel-routes.ts'

// In a network namespace of its own: routes as BIRD leaves them, held, taken away by somebody, released.
const ip = (...argv: string[]): string => execFileSync('ip', argv, { encoding: 'utf8' })
const way = (to: string): string => {
  try {
    return /via \S+/.exec(ip('route', 'get', to))?.[0] ?? 'none'
  } catch {
    return 'blackhole'
  }
}
const ways = (): string[] => ['198.51.100.2', '198.51.100.66', '198.51.100.130', '203.0.113.1'].map(way)
const leftovers = (): string => ip('rule', 'show') + ip('route', 'show', 'table', 'all')

ip('link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth1')
// its IPv6 routes would come when the kernel has looked for twins of the address, in the middle of this
for (const device of ['eth0', 'eth1']) ip('link', 'set', device, 'addrgenmode', 'none')
ip('link', 'set', 'eth1', 'up')
ip('link', 'set', 'eth0', 'up')
ip('address', 'add', '192.0.2.1/24', 'dev', 'eth0')
ip('route', 'add', 'default', 'via', '192.0.2.254')
ip('route', 'add', '198.51.100.2/32', 'via', '192.0.2.2', 'dev', 'eth0', 'proto', '12')
ip(
  'route',
  'add',
  '198.51.100.64/26',
  'proto',
  '12',
  'nexthop',
  'via',
  '192.0.2.3',
  'nexthop',
  'via',
  '192.0.2.3',
)
ip('route', 'add', 'blackhole', '198.51.100.128/26', 'proto', '12')
const before = leftovers()

const routes = createKernelRoutes()
const first = ways()
await routes.hold()
await routes.hold()
const held = ways()
ip('route', 'flush', 'proto', '12')
const afterLoss = ways()
// What a new BIRD learned goes before what is held.
ip('route', 'add', '198.51.100.2/32', 'via', '192.0.2.9', 'dev', 'eth0', 'proto', '12')
const learned = ways()
await routes.release()
await routes.release()
ip('route', 'del', '198.51.100.2/32')
ip('route', 'add', '198.51.100.2/32', 'via', '192.0.2.2', 'dev', 'eth0', 'proto', '12')
ip(
  'route',
  'add',
  '198.51.100.64/26',
  'proto',
  '12',
  'nexthop',
  'via',
  '192.0.2.3',
  'nexthop',
  'via',
  '192.0.2.3',
)
ip('route', 'add', 'blackhole', '198.51.100.128/26', 'proto', '12')
const clean = leftovers() === before
console.log(JSON.stringify({ first, held, afterLoss, learned, clean }))
