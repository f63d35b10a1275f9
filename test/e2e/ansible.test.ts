// The collection under the real ansible-playbook, by the commands of docs/config-management.md: two hosts, one after the other.
// nsenter stands in for ssh.

import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { blocks, root, section, textOf } from '../docs/markdown.ts'
import type { ExecResult, Host } from '../lab/index.ts'
import { buildPackages, type Packages } from './packages.ts'
import { program } from './program.ts'
import * as support from './support.ts'

const [setup = '', work = '', back = ''] = blocks(
  section(textOf('docs/config-management.md'), '## Ansible'),
  'sh',
)
const [check = '', stage = '', upgrade = ''] = work.trim().split('\n')

let packages: Packages
/** Where the operator types: it has the clone's scripts/ and dist/. */
let directory: string
let at: support.World

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'calico-agent-ansible-'))
  ;[packages, at] = await Promise.all([buildPackages(), support.world()])
  await symlink(join(root, 'scripts'), join(directory, 'scripts'))
  await symlink(packages.directory, join(directory, 'dist'))
  const installed = await typed(setup)
  expect(installed.code, installed.stderr).toBe(0)
})
afterAll(async () => {
  await Promise.all(at.mesh.hosts.map((host) => host.run(['dpkg', '--purge', 'calico-agent'])))
  await Promise.all([packages.remove(), rm(directory, { recursive: true })])
})

/** Lines of the documentation, as they are, and what is to be added. */
function typed(lines: string, ...more: string[]): Promise<ExecResult> {
  const script = `cd "$0" && ${lines.trim()} "$@"`
  return program(['bash', '-euc', script, directory, ...more], {
    ...process.env,
    ANSIBLE_COLLECTIONS_PATH: join(directory, 'collections'),
    ANSIBLE_CONNECTION_PLUGINS: join(root, 'test/e2e/ansible'),
    ANSIBLE_HOME: directory,
    ANSIBLE_LOCAL_TEMP: directory,
    ANSIBLE_NOCOLOR: '1',
    ANSIBLE_PIPELINING: '1',
    LC_ALL: 'C.UTF-8',
    PYTHONDONTWRITEBYTECODE: '1',
  })
}

interface Recap {
  ok: number
  changed: number
  failed: number
}

interface Play extends ExecResult {
  /** By host: its line under PLAY RECAP. */
  recap: Record<string, Recap>
}

/** A playbook for both hosts, with this image in their config. */
async function play(line: string, tag: string, ...flags: string[]): Promise<Play> {
  const hosts = Object.fromEntries(at.mesh.hosts.map(({ name, pid }) => [name, { lab_pid: pid }]))
  const vars = {
    ansible_connection: 'lab_host',
    ansible_python_interpreter: '/usr/bin/python3',
    calico_agent_deb: `dist/${packages.deb.split('/').at(-1) ?? ''}`,
    calico_agent_config: { node: { image: support.image(tag) }, settle: 2, window: 60 },
  }
  await writeFile(join(directory, 'inventory.yml'), JSON.stringify({ calico: { hosts, vars } }))
  const done = await typed(line, ...flags)
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

const running = async (): Promise<(string | undefined)[]> =>
  await Promise.all([first(), second()].map(async (host) => (await support.containers(host))[0]))

it('shows on a bare host, in check mode, that there is all to do, and does nothing', async () => {
  const before = await states()
  const { code, recap, stdout } = await play(check, 'v2.6.12')
  expect(code, stdout).toBe(0)
  for (const host of at.mesh.hosts) {
    expect(recap[host.name]).toMatchObject({ failed: 0 })
    expect(recap[host.name]?.changed).toBeGreaterThan(0)
    expect(await host.exists('/usr/bin/calico-agent')).toBe(false)
    expect(await host.exists('/etc/calico-agent')).toBe(false)
  }
  expect(await states()).toEqual(before)
})

/** Has apt write down where a package that it installs lies, and then do this; and puts a trap where the copy once was. */
async function watchApt(host: Host, then = 'true'): Promise<void> {
  const look = `xargs namei --long >/root/package-path; ${then}`
  await host.writeFile('/etc/apt/apt.conf.d/99watch', `DPkg::Pre-Install-Pkgs { "${look}"; };\n`)
  await host.ok(['install', '--owner=nobody', '/dev/null', '/var/tmp/calico-agent.deb'])
}

/** The path of the package that was installed last, and each directory above it: kind, mode, owner, group and name. */
async function installedFrom(host: Host): Promise<{ path: string; entries: string[] }> {
  const [path = '', ...entries] = (await host.ok(['cat', '/root/package-path'])).trim().split('\n')
  return { path: path.replace('f: ', ''), entries: entries.map((line) => line.trim().replaceAll(/ +/g, ' ')) }
}

const unwatchApt = (host: Host): Promise<string> =>
  host.ok(['rm', '-f', '/etc/apt/apt.conf.d/99watch', '/root/package-path', '/var/tmp/calico-agent.deb'])

it('leaves no copy of the package where its installation fails', async () => {
  await Promise.all(at.mesh.hosts.map((host) => watchApt(host, 'exit 1')))
  try {
    const { code } = await play(stage, 'v2.6.12')
    expect(code).not.toBe(0)
    for (const host of at.mesh.hosts) {
      const { path } = await installedFrom(host)
      expect(path).toContain('.deb')
      expect(await host.exists(path), path).toBe(false)
    }
  } finally {
    await Promise.all(at.mesh.hosts.map(unwatchApt))
  }
})

it('installs the package from where only root can write', async () => {
  await watchApt(first())
  try {
    const { code, stdout } = await play(stage, 'v2.6.12', '--limit', first().name)
    expect(code, stdout).toBe(0)
    const { path, entries } = await installedFrom(first())
    expect(entries.length).toBeGreaterThan(2)
    expect(entries.filter((entry) => !/^[-d]...(.-.){2} root root /.test(entry))).toEqual([])
    expect(await first().exists(path)).toBe(false)
  } finally {
    await unwatchApt(first())
  }
})

it('stages both hosts, and changes nothing that runs', async () => {
  const before = await states()
  const { code, recap, stdout } = await play(stage, 'v2.6.12')
  expect(code, stdout).toBe(0)
  expect(await states()).toEqual(before)
  for (const host of at.mesh.hosts) {
    expect(recap[host.name]).toMatchObject({ failed: 0 })
    expect(await host.readFile('/etc/calico-agent/agent.yaml')).not.toContain(support.image('v2.6.12'))
    expect(await host.ok(['docker', 'image', 'ls'])).toContain('v2.6.12')
    expect((await host.run(['systemctl', 'is-active', 'calico-agent'])).stdout).toBe('active\n')
  }
})

it('upgrades two hosts one after the other, without a packet lost, and pulls nothing anew', async () => {
  const cost = await support.costOf(at, () => play(upgrade, 'v2.6.12'))
  const { code, recap, stdout } = cost.result
  expect(code, stdout).toBe(0)
  support.expectNoCost(cost)
  expect(await running()).toEqual(Array(2).fill('calico-node v2.6.12 running always'))
  for (const host of at.mesh.hosts) {
    // the config, the upgrade, and the service that reads it again
    expect(recap[host.name]).toMatchObject({ changed: 3, failed: 0 })
    const [run] = (await runsOf(host)) as { run: string }[]
    expect(await host.ok(['calico-agent', 'history', run?.run ?? ''])).not.toContain('pull ')
  }
  const [one, two] = at.mesh.hosts.map(({ name }) => stdout.lastIndexOf(`changed: [${name}]`))
  expect(one).toBeLessThan(two ?? 0)
})

const runsOf = async (host: Host): Promise<unknown[]> =>
  (JSON.parse(await host.ok(['calico-agent', 'history', '--json'])) as { runs: unknown[] }).runs

it('changes nothing when it is run again', async () => {
  const before = await states()
  const { code, recap, stdout } = await play(`${stage}\n${upgrade}`, 'v2.6.12')
  expect(code, stdout).toBe(0)
  for (const { name } of at.mesh.hosts) expect(recap[name]).toMatchObject({ changed: 0, failed: 0 })
  expect(stdout).not.toContain('changed: [')
  expect(await states()).toEqual(before)
})

it('stops a service that is not wanted', async () => {
  const service = (): Promise<string> =>
    first().ok(['systemctl', 'show', '--property=ActiveState,UnitFileState', 'calico-agent'])
  expect(await service()).toBe('ActiveState=active\nUnitFileState=enabled\n')
  const only = ['--limit', first().name]
  const { code, stdout } = await play(
    stage,
    'v2.6.12',
    ...only,
    '--extra-vars',
    '{"calico_agent_service": false}',
  )
  expect(code, stdout).toBe(0)
  expect(await service()).toBe('ActiveState=inactive\nUnitFileState=disabled\n')
})

it('shows with --check --diff what another image would change, and changes nothing', async () => {
  const before = await states()
  const config = await first().readFile('/etc/calico-agent/agent.yaml')
  const { code, recap, stdout } = await play(check, 'ignores-term')
  expect(code, stdout).toBe(0)
  // what would be pulled, the config, the service that would read it, and what the agent would do with it
  expect(recap[second().name]).toMatchObject({ changed: 4, failed: 0 })
  expect(stdout).toContain(`-Image: ${support.image('v2.6.12')}`)
  expect(stdout).toContain(`+Image: ${support.image('ignores-term')}`)
  expect(stdout).toContain(`+  image: ${support.image('ignores-term')}`)
  expect(await states()).toEqual(before)
  expect(await first().readFile('/etc/calico-agent/agent.yaml')).toBe(config)
})

it('waits for its turn once, and tries again only what the agent does not wait for', async () => {
  const config = {
    node: { image: support.image('ignores-term') },
    fleet: { etcd: { endpoints: ['http://127.0.0.1:1'] } },
  }
  // longer than a busy host takes to plan
  const once = { calico_agent_wait: '30s', calico_agent_retries: 1, calico_agent_delay: 0 }
  const extra = JSON.stringify({ calico_agent_config: config, ...once })
  const waiting = (): Promise<Play> =>
    play(upgrade, 'v2.6.12', '--limit', first().name, '--extra-vars', extra)
  const ended = await waiting()
  expect(ended.code).not.toBe(0)
  expect(ended.stdout).toContain('fleet-unreachable')
  expect(ended.stdout).not.toContain('RETRYING')

  const other = await first().start(['flock', '--no-fork', '/var/lib/calico-agent/lock', 'sleep', '600'])
  const locked = await waiting()
  await other.kill('SIGKILL')
  expect(locked.stdout).toContain('this host is locked')
  expect(locked.stdout).toContain('RETRYING')
})

it('ends at the first host where the image is bad: rolled back there, the second untouched', async () => {
  const before = await states()
  const config = await second().readFile('/etc/calico-agent/agent.yaml')
  const { code, recap, stdout } = await play(upgrade, 'exits-at-once')
  expect(code).not.toBe(0)
  expect(recap[first().name]).toMatchObject({ failed: 1 })
  expect(recap[second().name]).toBeUndefined()
  expect(stdout).toMatch(/rolled-back: gate-failed: .*exited with code 1/)
  await at.mesh.untilSettled()
  expect(await states()).toEqual(before)
  expect(await second().readFile('/etc/calico-agent/agent.yaml')).toBe(config)
})

it('goes back on both hosts, without a packet lost, and only once', async () => {
  const cost = await support.costOf(at, () => play(back, 'v2.6.12'))
  expect(cost.result.code, cost.result.stdout).toBe(0)
  support.expectNoCost(cost)
  expect(await running()).toEqual(Array(2).fill('calico-node v2.6.5 running always'))
  const before = await states()
  const { code, recap } = await play(back, 'v2.6.12')
  expect(code).toBe(0)
  for (const { name } of at.mesh.hosts) expect(recap[name]).toMatchObject({ changed: 0, failed: 0 })
  expect(await states()).toEqual(before)
})
