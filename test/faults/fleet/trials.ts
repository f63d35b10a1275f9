import { setTimeout as pause } from 'node:timers/promises'
import { EtcdCluster } from '../../fleet/etcd-cluster.ts'
import { type HostOptions, Hosts, MOMENTS } from './hosts.ts'

const MEMBERS = 3
const NAMES = ['host-1', 'host-2', 'host-3', 'host-4']

/** What happens to a rollout of four hosts with one slot on an etcd of three members. Resolves to what else to expect. */
type Fault = (etcd: EtcdCluster, hosts: Hosts, rollOut: RollOut) => Promise<void>

/** All hosts at once, each with its own options. */
type RollOut = (options?: Record<string, HostOptions>) => Promise<void>

const anyMember = (): number => Math.floor(Math.random() * MEMBERS)
const aMoment = (): Promise<void> => pause(Math.random() * 400)

export const FLEET_FAULTS: Record<string, Fault> = {
  'a member is killed': (etcd, _, rollOut) => killed(etcd, anyMember, rollOut),
  'the leader is killed': (etcd, _, rollOut) => killed(etcd, () => etcd.leader(), rollOut),
  'a member hangs': (etcd, _, rollOut) => hung(etcd, [anyMember()], rollOut),
  'two of three members hang': (etcd, _, rollOut) => hung(etcd, [0, 1], rollOut),
  'an agent dies with its slot held': async (_, hosts, rollOut) => {
    const dies = MOMENTS[Math.floor(Math.random() * MOMENTS.length)]
    await rollOut({ 'host-2': { ...(dies && { dies }) } })
    expectDone(hosts, 4)
  },
  'a host dies for good': async (_, hosts, rollOut) => {
    const all = rollOut({ 'host-2': { dies: 'at work', comesBack: false } })
    await until(async () => hosts.done > 0 || (await hosts.holders()).includes('host-2'))
    await until(async () => (await hosts.holders()).includes('host-2'))
    // nobody starts before an operator says that it is gone
    await pause(200)
    await hosts.release('host-2')
    await all
    expectDone(hosts, 3)
  },
  'an operator releases the wrong host': async (_, hosts, rollOut) => {
    const all = rollOut({ 'host-3': { dies: 'at work' } })
    await until(() => Promise.resolve(hosts.atWork !== undefined))
    await hosts.release(hosts.atWork ?? 'host-1')
    await all
    expectDone(hosts, 4)
  },
  'an operator halts the fleet': async (_, hosts, rollOut) => {
    const all = rollOut()
    await aMoment()
    await hosts.halt()
    await pause(500)
    await hosts.resume()
    await all
    expectDone(hosts, 4)
  },
  'two groups share the engine': async (etcd, hosts, rollOut) => {
    const others = Hosts.onEtcd(etcd.endpoints, 'other', 1)
    await Promise.all([rollOut(), ...NAMES.map((name) => others.upgrade(name))])
    hosts.flaws.push(...others.flaws)
    expectDone(hosts, 4)
    expectDone(others, 4)
  },
  'clocks are 400 days apart': async (_, hosts, rollOut) => {
    await rollOut({ 'host-1': { clockDays: -400 }, 'host-3': { clockDays: 400, dies: 'taken' } })
    expectDone(hosts, 4)
  },
}

/** In words, what is not as it must be: more than one at work, a start after the halt, a slot that nobody can explain. */
export async function fleetFlaws(fault: string): Promise<string[]> {
  const etcd = await EtcdCluster.start({ members: MEMBERS })
  try {
    const hosts = Hosts.onEtcd(etcd.endpoints, 'faults', 1)
    const rollOut: RollOut = async (options = {}) => {
      await Promise.all(NAMES.map((name) => hosts.upgrade(name, options[name])))
    }
    await FLEET_FAULTS[fault]?.(etcd, hosts, rollOut)
    const left = await hosts.holders()
    return [...hosts.flaws, ...left.map((host) => `${host} still has a slot`)]
  } finally {
    await etcd.stop()
  }
}

async function killed(
  etcd: EtcdCluster,
  which: () => number | Promise<number>,
  rollOut: RollOut,
): Promise<void> {
  const all = rollOut()
  await aMoment()
  const member = await which()
  await etcd.killMember(member)
  await aMoment()
  await etcd.startMember(member)
  await all
}

async function hung(etcd: EtcdCluster, members: number[], rollOut: RollOut): Promise<void> {
  const all = rollOut()
  await aMoment()
  for (const member of members) etcd.pause(member)
  // longer than a client waits for a member
  await pause(6_000)
  for (const member of members) etcd.unpause(member)
  await all
}

function expectDone(hosts: Hosts, count: number): void {
  if (hosts.done !== count) hosts.flaws.push(`${hosts.done} of ${count} hosts are done`)
}

async function until(check: () => Promise<boolean>): Promise<void> {
  while (!(await check())) await pause(10)
}
