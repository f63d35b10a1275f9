// The role under the real ansible-playbook: two hosts, one after the other. nsenter stands in for ssh.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { ExecResult, Host } from '../lab/index.ts'
import { buildPackages, type Packages } from './packages.ts'
import * as support from './support.ts'

const root = resolve(import.meta.dirname, '../..')

let packages: Packages
let directory: string
let at: support.World

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'calico-agent-ansible-'))
  ;[packages, at] = await Promise.all([buildPackages(), support.world()])
})
afterAll(async () => {
  await Promise.all(at.mesh.hosts.map((host) => host.run(['dpkg', '--purge', 'calico-agent'])))
  await Promise.all([packages.remove(), rm(directory, { recursive: true })])
})

interface Recap {
  ok: number
  changed: number
  failed: number
}

interface Play extends ExecResult {
  /** By host: its line under PLAY RECAP. */
  recap: Record<string, Recap>
}

/** scripts/ansible/site.yml for both hosts, with this image in their config. */
async function play(tag: string, ...flags: string[]): Promise<Play> {
  const inventory = join(directory, 'inventory.json')
  const hosts = Object.fromEntries(at.mesh.hosts.map(({ name, pid }) => [name, { lab_pid: pid }]))
  const vars = {
    ansible_connection: 'lab_host',
    ansible_python_interpreter: '/usr/bin/python3',
    calico_agent_deb: packages.deb,
    calico_agent_config: { node: { image: support.image(tag) }, settle: 2, window: 30 },
  }
  await writeFile(inventory, JSON.stringify({ calico: { hosts, vars } }))
  const done = await support.program(
    ['ansible-playbook', '-i', inventory, join(root, 'scripts/ansible/site.yml'), ...flags],
    {
      ...process.env,
      ANSIBLE_CONNECTION_PLUGINS: join(root, 'test/e2e/ansible'),
      ANSIBLE_HOME: directory,
      ANSIBLE_LOCAL_TEMP: directory,
      ANSIBLE_NOCOLOR: '1',
      ANSIBLE_PIPELINING: '1',
      LC_ALL: 'C.UTF-8',
      PYTHONDONTWRITEBYTECODE: '1',
    },
  )
  return { ...done, recap: recapOf(done) }
}

function recapOf({ stdout, stderr }: ExecResult): Play['recap'] {
  const lines = [...stdout.matchAll(/^(\S+) +: (ok=.*)$/gm)]
  if (lines.length === 0) throw new Error(`cannot find a recap: ${stdout}\n${stderr}`)
  const counts = (text: string): Recap =>
    Object.fromEntries(
      [...text.matchAll(/(\w+)=(\d+)/g)].map(([, name = '', n]) => [name, Number(n)]),
    ) as unknown as Recap
  return Object.fromEntries(lines.map(([, host = '', text = '']) => [host, counts(text)]))
}

const [first, second] = [(): Host => at.host, (): Host => at.peer]
const states = (): Promise<string[]> =>
  Promise.all(
    [first(), second()].map(
      async (host) => `${await support.nodeId(host)} ${(await support.containers(host)).join(', ')}`,
    ),
  )

it('shows on a bare host, in check mode, that there is all to do, and does nothing', async () => {
  const before = await states()
  const { code, recap, stdout } = await play('v2.6.12', '--check', '--diff')
  expect(code, stdout).toBe(0)
  for (const host of at.mesh.hosts) {
    expect(recap[host.name]).toMatchObject({ failed: 0 })
    expect(recap[host.name]?.changed).toBeGreaterThan(0)
    expect(await host.exists('/usr/bin/calico-agent')).toBe(false)
    expect(await host.exists('/etc/calico-agent')).toBe(false)
  }
  expect(await states()).toEqual(before)
})

it('installs the agent on two hosts and upgrades one after the other, without a packet lost', async () => {
  const cost = await support.costOf(at, () => play('v2.6.12'))
  const { code, recap, stdout } = cost.result
  expect(code, stdout).toBe(0)
  support.expectNoCost(cost)
  for (const host of at.mesh.hosts) {
    expect(recap[host.name]).toMatchObject({ failed: 0 })
    expect((await support.containers(host))[0]).toBe('calico-node v2.6.12 running always')
  }
  const [one, two] = at.mesh.hosts.map(({ name }) => stdout.indexOf(`changed: [${name}]`))
  expect(one).toBeLessThan(two ?? 0)
})

it('changes nothing when it is run again', async () => {
  const before = await states()
  const { code, recap, stdout } = await play('v2.6.12')
  expect(code, stdout).toBe(0)
  for (const { name } of at.mesh.hosts) expect(recap[name]).toMatchObject({ changed: 0, failed: 0 })
  expect(await states()).toEqual(before)
})

it('starts the service where it is wanted, has it reload a changed config, and stops it again', async () => {
  // In place of the service: what is tried is what the role does with it.
  const unit = '[Service]\nExecStart=/bin/sleep infinity\nExecReload=/bin/touch /run/reloaded\n'
  const installed = '[Install]\nWantedBy=multi-user.target\n'
  const [host] = at.mesh.hosts as [Host]
  await host.writeFile('/etc/systemd/system/calico-agent.service', unit + installed)
  await host.ok(['systemctl', 'daemon-reload'])
  const state = async (): Promise<string> =>
    (await host.run(['systemctl', 'show', '--property=ActiveState,UnitFileState', 'calico-agent'])).stdout

  const only = ['--limit', host.name]
  const config = { node: { image: support.image('v2.6.12') }, settle: 3, window: 30 }
  const wanted = JSON.stringify({ calico_agent_service: true, calico_agent_config: config })
  const started = await play('v2.6.12', ...only, '--extra-vars', wanted)
  expect(started.code, started.stdout).toBe(0)
  expect(await state()).toBe('ActiveState=active\nUnitFileState=enabled\n')
  expect(await host.exists('/run/reloaded')).toBe(true)

  const stopped = await play('v2.6.12', ...only)
  expect(stopped.code, stopped.stdout).toBe(0)
  expect(await state()).toBe('ActiveState=inactive\nUnitFileState=disabled\n')
  await host.ok(['rm', '/etc/systemd/system/calico-agent.service', '/run/reloaded'])
  await host.ok(['systemctl', 'daemon-reload'])
})

it('shows with --check --diff what another image would change, and changes nothing', async () => {
  const before = await states()
  const config = await first().readFile('/etc/calico-agent/agent.yaml')
  const { code, recap, stdout } = await play('ignores-term', '--check', '--diff')
  expect(code, stdout).toBe(0)
  // The config, and what the agent would do with it.
  for (const { name } of at.mesh.hosts) expect(recap[name]).toMatchObject({ changed: 2, failed: 0 })
  expect(stdout).toContain(`-Image: ${support.image('v2.6.12')}`)
  expect(stdout).toContain(`+Image: ${support.image('ignores-term')}`)
  expect(stdout).toContain(`+  image: ${support.image('ignores-term')}`)
  expect(await states()).toEqual(before)
  expect(await first().readFile('/etc/calico-agent/agent.yaml')).toBe(config)
})

it('ends at the first host where the image is bad: rolled back there, the second untouched', async () => {
  const before = await states()
  const config = await second().readFile('/etc/calico-agent/agent.yaml')
  const { code, recap, stdout } = await play('exits-at-once')
  expect(code).not.toBe(0)
  expect(recap[first().name]).toMatchObject({ failed: 1 })
  expect(recap[second().name]).toBeUndefined()
  expect(stdout).toMatch(/rolled-back: gate-failed: .*exited with code 1/)
  await at.mesh.untilSettled()
  expect(await states()).toEqual(before)
  expect(await second().readFile('/etc/calico-agent/agent.yaml')).toBe(config)
})
