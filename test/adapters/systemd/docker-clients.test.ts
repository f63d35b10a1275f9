import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { hasClient, unitOfClient } from '../../../agent/adapters/systemd/docker-clients.ts'

let proc: string
beforeEach(async () => {
  proc = await mkdtemp(join(tmpdir(), 'proc-'))
})
afterEach(() => rm(proc, { recursive: true }))

/** A process as /proc shows it. */
async function process(pid: number, argv: string[], cgroup: string): Promise<void> {
  await mkdir(join(proc, String(pid)))
  await writeFile(join(proc, String(pid), 'cmdline'), `${argv.join('\0')}\0`)
  await writeFile(join(proc, String(pid), 'cgroup'), cgroup)
}

const run = ['/usr/bin/docker', 'run', '--net=host', '--name=calico-node', 'calico/node:v2.6.5']

it.each([
  ['cgroup v2', '0::/system.slice/calico-node.service\n'],
  ['cgroup v1', '4:memory:/system.slice\n1:name=systemd:/system.slice/calico-node.service\n'],
])('finds the unit of a docker client, with %s', async (_, cgroup) => {
  await process(7, ['/usr/bin/dockerd'], '0::/system.slice/docker.service\n')
  await process(9, run, cgroup)
  expect(await unitOfClient('calico-node', proc)).toBe('calico-node.service')
})

it.each([
  ['of another container', [...run.slice(0, 3), '--name=other', 'x:1'], '0::/system.slice/u.service\n'],
  ['of another command', ['docker', 'logs', '-f', 'calico-node'], '0::/system.slice/u.service\n'],
  ['in a login session', run, '0::/user.slice/user-0.slice/session-3.scope\n'],
])('finds none for a client %s', async (_, argv, cgroup) => {
  await process(9, argv, cgroup)
  await mkdir(join(proc, 'sys'))
  expect(await unitOfClient('calico-node', proc)).toBeNull()
})

it.each([
  ['systemctl restart u.service', true],
  ['systemctl restart u.service.d', false],
  ['systemctl status u.service', false],
])('tells of %s whether it restarts u.service: %s', async (command, isOne) => {
  await process(9, command.split(' '), '0::/system.slice/agent.service\n')
  expect(await hasClient(['systemctl', 'restart', 'u.service'], proc)).toBe(isOne)
})
