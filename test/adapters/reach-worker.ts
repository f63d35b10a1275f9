import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createProbe } from '../../agent/adapters/probe.ts'

// In a network namespace of its own: a wire to a host in another one, and what the kernel makes of each neighbor.
const ip = (...argv: string[]): string => execFileSync('ip', argv, { encoding: 'utf8' })

const host = spawn('unshare', ['--net', 'sh', '-c', 'echo; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] })
await once(host.stdout, 'data')
const onHost = (...argv: string[]): string =>
  execFileSync('nsenter', [`--net=/proc/${String(host.pid)}/ns/net`, ...argv], { encoding: 'utf8' })

ip('link', 'set', 'lo', 'up')
ip('link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth1')
ip('link', 'set', 'eth1', 'netns', String(host.pid))
ip('link', 'set', 'eth0', 'up')
ip('address', 'add', '192.0.2.1/24', 'dev', 'eth0')
onHost('ip', 'link', 'set', 'eth1', 'up')
onHost('ip', 'address', 'add', '192.0.2.2/24', 'dev', 'eth1')
onHost('sysctl', '-qw', 'net.ipv4.ip_forward=1')
const [, mac = ''] = /link\/ether (\S+)/.exec(onHost('ip', 'link', 'show', 'eth1')) ?? []
// a host that is there, and whose filter drops what it does not want
const permanent = ['neighbor', 'add', '192.0.2.8', 'lladdr', '02:00:00:00:00:08', 'dev', 'eth0']
ip(...permanent, 'nud', 'permanent')
// one that rejects it: a route makes the kernel say what a filter does with icmp-admin-prohibited
ip('neighbor', 'add', '192.0.2.7', 'lladdr', mac, 'dev', 'eth0', 'nud', 'permanent')
onHost('ip', 'route', 'add', 'prohibit', '192.0.2.7')
// hosts behind a gateway that has no way to them, behind one that is gone, and one to which there is no way from here
ip('route', 'add', '198.51.100.0/25', 'via', '192.0.2.2')
onHost('ip', 'route', 'add', 'unreachable', '198.51.100.0/25')
ip('route', 'add', '198.51.100.128/25', 'via', '192.0.2.99')
ip('route', 'add', 'unreachable', '203.0.113.128/25')

const server = createServer().listen(179, '192.0.2.1')
await once(server, 'listening')
const probe = createProbe()
const hosts = {
  listens: '192.0.2.1:179',
  refuses: '192.0.2.2:9',
  drops: '192.0.2.8:9',
  rejects: '192.0.2.7:9',
  nobody: '192.0.2.9:9',
  behindGateway: '198.51.100.1:9',
  behindGoneGateway: '198.51.100.129:9',
  noRoute: '203.0.113.1:9',
  unreachableRoute: '203.0.113.129:9',
}
const seen = await Promise.all(
  Object.entries(hosts).map(async ([name, place]) => {
    const [address = '', port] = place.split(':')
    return [name, await probe.reach(address, Number(port))] as const
  }),
)
const kept = ip('neighbor', 'show', '192.0.2.8').includes('PERMANENT')
server.close()
host.stdin.end()
process.stdout.write(JSON.stringify({ seen: Object.fromEntries(seen), kept }))
