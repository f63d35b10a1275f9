// Three hosts that meet on a real etcd, as docs/fleet.md sets them up.

import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { FleetView } from '../../agent/core/fleet/view.ts'
import { DAYS } from '../../agent/core/fleet/windows.ts'
import type { HistoryReport } from '../../agent/core/report/history.ts'
import { blocks } from '../docs/markdown.ts'
import { askRegistry, type Host, type Mesh, until } from '../lab/index.ts'
import { anyOrder, fleetNames, fleetStory, OperatorsMachine } from './fleet-page.ts'
import {
  ask,
  installService,
  logged,
  property,
  quick,
  replaceConfig,
  startService,
  systemctl,
  untilService,
} from './service.ts'
import * as support from './support.ts'
import { follow, type Names, onLab } from './typed-page.ts'

const etcd = support.lab.etcd('tls')

let mesh: Mesh
let hosts: [Host, Host, Host]
let names: Names
let fleet: object

beforeAll(async () => {
  hosts = [...support.lab.workerMesh().hosts, support.lab.spareHost()] as [Host, Host, Host]
  mesh = support.lab.mesh(hosts)
  // of an earlier run on the same lab
  await etcd.clear()
  await etcd.start()
  await prepare()
  names = fleetNames(hosts, { endpoint: etcd.endpoint, image: support.image('v3.17.6') })
  const config = parse(onLab(blocks(fleetStory().rollout, 'yaml')[0] ?? '', names)) as { fleet: object }
  fleet = { fleet: { ...config.fleet, group: 'three' } }
})

/** v3.15.5 on all hosts, and what the config of the page names. */
async function prepare(): Promise<void> {
  await mesh.reset({ image: 'v3.15.5' })
  const files = await etcd.identity()
  const pems = { ca: 'etcd-ca.pem', cert: 'etcd.pem', key: 'etcd-key.pem' }
  for (const host of hosts)
    for (const name of ['ca', 'cert', 'key'] as const)
      await host.writeFile(`/etc/calico-agent/${pems[name]}`, await readFile(files[name]), 0o600)
}

afterAll(async () => {
  await Promise.all(hosts.map((host) => systemctl(host, 'stop').catch(() => undefined)))
  await support.world()
  await etcd.kill()
})

const askingFor = (image: string): object => ({ ...quick(image), ...fleet })

async function fleetStatus(host: Host): Promise<FleetView> {
  return JSON.parse(await host.ok(['agent', 'fleet', 'status', '--json'])) as FleetView
}

/** From the first record of the host's last upgrade to its last one. */
async function lastUpgrade(host: Host): Promise<{ from: string; to: string; outcome: string | null }> {
  const { runs } = JSON.parse(await host.ok(['agent', 'history', '--json'])) as HistoryReport
  const run = runs.find(({ command }) => command === 'upgrade')
  return { from: run?.startedAt ?? '', to: run?.endedAt ?? '', outcome: run?.outcome ?? null }
}

/** What the services said, where it does not happen. */
async function untilOrLogs(what: string, check: () => Promise<boolean>): Promise<void> {
  await until(what, check, { everyMs: 200 }).catch(async (cause: unknown) => {
    const logs = await Promise.all(
      hosts.map(async (host) => [host.name, ...(await logged(host, 'info')).slice(-8)]),
    )
    throw new Error(`${String(cause)}\n${logs.flat().join('\n')}`, { cause })
  })
}

async function withoutLoss<T>(action: () => Promise<T>): Promise<T> {
  const [one, other, third] = hosts
  const traffic = await Promise.all([mesh.traffic(one, other), mesh.traffic(other, third)])
  const result = await action()
  await mesh.untilSettled()
  for (const pings of traffic) expect(await pings.stop()).toMatchObject({ lost: 0 })
  return result
}

describe('docs/fleet.md', () => {
  let machine: OperatorsMachine

  beforeAll(async () => {
    machine = await OperatorsMachine.make(hosts)
    await Promise.all(hosts.map(installService))
  })
  afterAll(async () => {
    await machine.remove()
    await Promise.all(hosts.map((host) => systemctl(host, 'disable', '--now')))
    await prepare()
  })

  const typing = (page: string): Promise<void> =>
    follow(page, {
      names,
      type: (line) => machine.type(line),
      edit: (yaml) => machine.edit(yaml),
      patienceMs: 240_000,
      arrange: anyOrder,
    })

  it('takes an operator from one config to a rollout, by typing what stands there', async () => {
    await withoutLoss(() => typing(fleetStory().rollout))
    for (const host of hosts)
      expect(await support.containers(host)).toContain('calico-node v3.17.6 running always')
  })

  it('has the command that gives on the slot of a host that was lost', async () => {
    const [one, other] = hosts
    const config = await other.readFile('/etc/calico-agent/agent.yaml')
    await replaceConfig(other, config.replace('v3.17.6', 'v3.20.0'))
    const atWork = async (): Promise<string[]> =>
      (await fleetStatus(one)).hosts.flatMap(({ host, state }) => (state === 'at-work' ? [host] : []))
    await untilOrLogs('the host to be at work', async () => (await atWork()).length > 0)
    await other.powerCut()
    try {
      expect(await atWork()).toEqual([other.name])
      await typing(fleetStory().lost)
      expect(await atWork()).toEqual([])
    } finally {
      await other.powerOn()
    }
  })
})

describe('a command by hand', () => {
  const upgrade = (host: Host, ...args: string[]) =>
    support.agent(host, 'upgrade', '--node', support.image('v3.17.6'), ...args)

  beforeAll(async () => {
    await Promise.all(hosts.map((host) => support.configure(host, { window: 60, settle: 8, ...fleet })))
  })

  it('is deferred while the fleet is halted, waits for as long as it is told to, and goes on after it', async () => {
    const [one, other] = hosts
    await other.ok(['agent', 'fleet', 'halt', 'storage maintenance'])
    const deferred = await upgrade(one)
    expect(deferred).toMatchObject({ code: 75, report: { outcome: 'deferred', changed: false } })
    expect(deferred.report.problems.map(({ message }) => message).join()).toMatch(
      /^cannot start: group three was halted on \S+ at \S+: storage maintenance$/,
    )
    expect(await upgrade(one, '--wait', '2s')).toMatchObject({ code: 75 })
    const waiting = upgrade(one, '--wait', '2m')
    const waits = async (): Promise<boolean> =>
      (await fleetStatus(other)).hosts.some(({ host, state }) => host === one.name && state === 'waiting')
    await until('the host to wait', waits)
    await other.ok(['agent', 'fleet', 'resume'])
    expect(await waiting).toMatchObject({ code: 0, report: { outcome: 'upgraded' } })
  })

  it('keeps its slot over a death, and nobody else starts before it has resumed', async () => {
    const [, other, third] = hosts
    await support.configure(other, { window: 60, settle: 20, ...fleet })
    const dying = other.run(['agent', 'upgrade', '--node', support.image('v3.17.6'), '--json'])
    const isAtWork = async (): Promise<boolean> =>
      (await fleetStatus(third)).hosts.some(({ host, state }) => host === other.name && state === 'at-work')
    await until('the host to be at work', isAtWork, { everyMs: 100 })
    await other.ok(['pkill', '-KILL', '--full', 'agent upgrade'])
    await dying
    const kept = await upgrade(third)
    expect(kept).toMatchObject({ code: 75, report: { changed: false } })
    // it may have died with its BIRD
    expect(['slot-held', 'peer-restarting']).toContain(kept.report.problems[0]?.code)
    const resumed = await support.agent(other, 'resume')
    // as it may have died before it had moved anything
    expect([0, 3, 4], JSON.stringify(resumed)).toContain(resumed.code)
    await third.ok(['agent', 'fleet', 'resume'])
    expect(await upgrade(third)).toMatchObject({ code: 0, report: { outcome: 'upgraded' } })
  })

  it('follows the rollout in a pipe as it goes on', async () => {
    const watch = await hosts[2].start(['agent', 'fleet', 'status', '--watch'])
    await watch.untilSays(/^group three: \d of \d hosts done, not halted$/m)
    await watch.kill('SIGKILL')
    await watch.done
  })

  it('changes nothing while etcd is away, and says so', async () => {
    await etcd.kill()
    const upgrading = support.agent(hosts[0], 'upgrade', '--node', support.image('v3.20.0'))
    const { code, report } = await upgrading.finally(() => etcd.start())
    expect({ code, codes: report.problems.map(({ code: one }) => one) }).toEqual({
      code: 75,
      codes: expect.arrayContaining(['fleet-unreachable']) as string[],
    })
  })
})

describe('the service', () => {
  beforeAll(async () => {
    await Promise.all(hosts.map((host) => startService(host)))
  })

  it('starts in its maintenance windows only, and forgets them when the config does', async () => {
    const [one] = hosts
    const before = await support.nodeId(one)
    const day = DAYS[(new Date().getUTCDay() + 3) % DAYS.length]
    const windows = [{ days: [day], start: '02:00', length: '1h' }]
    const asking = askingFor(support.image('v3.20.0')) as { fleet: object }
    await replaceConfig(one, { ...asking, fleet: { ...asking.fleet, windows } })
    await untilService(one, 'waiting')
    const says = `waiting: no maintenance window is open: ${day} 02:00 for 60 min (UTC)`
    // systemd hears of it once a second
    await expect.poll(() => property(one, 'StatusText'), { timeout: 30_000 }).toBe(says)
    expect(await support.nodeId(one)).toBe(before)
  })

  it('upgrades one host after the other when all get their config at once, without a packet lost', async () => {
    await withoutLoss(async () => {
      await Promise.all(hosts.map((host) => replaceConfig(host, askingFor(support.image('v3.20.0')))))
      await Promise.all(hosts.map((host) => untilService(host, 'idle', 'upgraded')))
    })
    const runs = (await Promise.all(hosts.map(lastUpgrade))).sort((a, b) => a.from.localeCompare(b.from))
    expect(runs.map(({ outcome }) => outcome)).toEqual(['upgraded', 'upgraded', 'upgraded'])
    expect(runs[1]?.from.localeCompare(runs[0]?.to ?? '')).toBe(1)
    expect(runs[2]?.from.localeCompare(runs[1]?.to ?? '')).toBe(1)
    const view = await fleetStatus(hosts[0])
    expect(view).toMatchObject({ target: support.image('v3.20.0'), done: 3, total: 3, halted: null })
    expect(view.hosts).toMatchObject(hosts.map(() => ({ state: 'done', window: { budgetMs: 60_000 } })))
    await expect.poll(() => ask(hosts[0], '/metrics')).toContain('calico_agent_fleet_done{group="three"} 3')
  })

  describe('a target that fails on the second host', () => {
    const target = `${support.lab.registry.address}/fleet/node:v3.26.1`

    /** A tag that moves, as a broken build that is pushed over a good one. */
    async function publish(tag: string): Promise<void> {
      const label = 'org.opencontainers.image.version=v3.26.1'
      const build = `printf 'FROM %s\\nLABEL %s\\n' ${support.image(tag)} ${label} | docker build --tag ${target} -`
      await askRegistry(hosts[0], ['sh', '-c', `${build} && docker push ${target}`])
    }

    it('never starts on the third one, and any host says why', async () => {
      const [one, other, third] = hosts
      await publish('v3.26.1')
      await replaceConfig(one, askingFor(target))
      const isDone = async (): Promise<boolean> => {
        const { done, target: newest } = await fleetStatus(one)
        return newest === target && done === 1
      }
      await untilOrLogs('the first host to be done', isDone)
      await publish('exits-at-once')
      const before = await support.nodeId(third)
      await withoutLoss(async () => {
        await replaceConfig(other, askingFor(target))
        const isAtWork = async (): Promise<boolean> =>
          (await fleetStatus(one)).hosts.some(
            ({ host, state }) => host === other.name && ['at-work', 'failed'].includes(state),
          )
        await untilOrLogs('the second host to be at work', isAtWork)
        await replaceConfig(third, askingFor(target))
        await untilService(other, 'held', 'rolled-back')
        await untilService(third, 'waiting')
      })
      expect(await support.containers(other)).toContain('calico-node v3.20.0 running always')
      expect(await support.nodeId(third)).toBe(before)
      const { stdout } = await one.run(['agent', 'fleet', 'status'])
      expect(stdout).toMatch(new RegExp(`^halted: ${other.name} failed in run \\S+: `, 'm'))
      expect(stdout).toMatch(new RegExp(`^${third.name} +waiting +for `, 'm'))
      const log = async (): Promise<string> => (await logged(third, 'info')).join('\n')
      await expect.poll(log).toContain(`failed on ${other.name}`)
      await expect.poll(() => ask(third, '/metrics')).toContain('calico_agent_fleet_halted{group="three"} 1')
    })

    it('is replaced by another one, which everybody starts with', async () => {
      const next = support.image('v3.26.1')
      await Promise.all(hosts.map((host) => replaceConfig(host, askingFor(next))))
      const isDone = async (): Promise<boolean> => (await fleetStatus(hosts[2])).done === 3
      await until('all hosts to have the next target', isDone, { everyMs: 500 })
      expect(await fleetStatus(hosts[2])).toMatchObject({ done: 3, total: 3, halted: null })
    })
  })
})
