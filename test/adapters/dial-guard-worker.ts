import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDialGuard } from '../../agent/adapters/dial-guard.ts'
import { AgentError } from '../../agent/core/errors.ts'
import { dialGuardScenario, NEIGHBORS } from '../contract/dial-guard-contract.ts'

// In a network namespace of its own, by what its kernel answers.
const ip = (...argv: string[]): string =>
  execFileSync('ip', argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
const hasWay = (...argv: string[]): boolean => {
  try {
    return ip('route', 'get', ...argv) !== ''
  } catch {
    return false
  }
}
const ports = (sport: number, dport: number): string[] => [
  'ipproto',
  'tcp',
  'sport',
  String(sport),
  'dport',
  String(dport),
]
const keptOut = (): string[] =>
  NEIGHBORS.filter(({ address, listenPort }) => !hasWay(address, ...ports(listenPort, 40_000))).map(
    ({ address }) => address,
  )
const codeOf = async (work: Promise<unknown>): Promise<string> => {
  return await work.then(
    () => 'none',
    (error: unknown) => String((error as { code: unknown }).code),
  )
}
const rules = (): string => ip('-4', 'rule', 'show') + ip('-6', 'rule', 'show')

ip('link', 'set', 'lo', 'up')
ip('link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth1')
ip('link', 'set', 'eth1', 'up')
ip('link', 'set', 'eth0', 'up')
ip('address', 'add', '192.0.2.1/24', 'dev', 'eth0')
ip('-6', 'address', 'add', '2001:db8::1/64', 'dev', 'eth0', 'nodad')
execFileSync('sysctl', ['-qw', 'net.ipv4.conf.all.rp_filter=1'])
const foreign = ['pref', '179', 'to', '203.0.113.9', 'blackhole']
ip('rule', 'add', ...foreign)
const before = rules()

const guard = createDialGuard()
const seen = await dialGuardScenario(guard, keptOut)
await guard.close(NEIGHBORS)
// This host's own dialling, and the answers to it.
const own = [
  hasWay('192.0.2.2', ...ports(40_000, 179)),
  hasWay('192.0.2.1', 'from', '192.0.2.2', 'iif', 'eth0', ...ports(179, 40_000)),
  hasWay('2001:db8::2', ...ports(40_000, 179)),
  hasWay('2001:db8::1', 'from', '2001:db8::2', 'iif', 'eth0', ...ports(179, 40_000)),
]
await guard.open()

// Another's rule that sends the answer on its way all the same.
ip('rule', 'add', 'pref', '100', 'from', '192.0.2.1', 'lookup', 'main')
const overruled = await codeOf(guard.check(NEIGHBORS))
ip('rule', 'del', 'pref', '100')
// A kernel without the swap of ports in its reverse path filter, as another's rule has this one be.
ip('rule', 'add', 'pref', '101', 'to', '192.0.2.0/24', 'ipproto', 'tcp', 'dport', '1', 'blackhole')
const filtered = await codeOf(guard.check(NEIGHBORS))
ip('rule', 'del', 'pref', '101')
const usable = await codeOf(guard.check(NEIGHBORS))

const path = process.env['PATH'] ?? ''
process.env['PATH'] = '/nowhere'
const withoutIp = [
  await codeOf(guard.check(NEIGHBORS)),
  await codeOf(guard.close(NEIGHBORS)),
  await codeOf(guard.open()),
]
process.env['PATH'] = path

// An `ip` that shows no rules, and one that takes none away.
await guard.close(NEIGHBORS)
const real = execFileSync('sh', ['-c', 'command -v ip'], { encoding: 'utf8' }).trim()
const bin = mkdtempSync(join(tmpdir(), 'ip-'))
const openWith = async (...script: string[]): Promise<unknown> => {
  writeFileSync(join(bin, 'ip'), ['#!/bin/sh', ...script, ''].join('\n'), { mode: 0o755 })
  process.env['PATH'] = `${bin}:${path}`
  const ended = await guard.open().catch((error: unknown) => error)
  process.env['PATH'] = path
  return ended instanceof AgentError ? `${ended.code}: ${ended.message}; ${ended.fix}` : ended
}
const failing = {
  'shows nothing': await openWith('echo "Cannot open netlink socket: x" >&2', 'exit 1'),
  'takes nothing away': await openWith(
    `case "$*" in -4*-batch*) cat >/dev/null; echo "RTNETLINK answers: x" >&2; exit 2;; esac; exec ${real} "$@"`,
  ),
  'has no IPv6': await openWith(
    `case "$1" in -6) echo "RTNETLINK answers: Address family not supported by protocol" >&2; exit 2;; esac`,
    `exec ${real} "$@"`,
  ),
}
rmSync(bin, { recursive: true })
await guard.open()
console.log(
  JSON.stringify({ seen, own, overruled, filtered, usable, withoutIp, failing, clean: rules() === before }),
)
