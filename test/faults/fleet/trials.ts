import { setTimeout as pause } from 'node:timers/promises'
import { EtcdCluster } from '../../fleet/etcd-cluster.ts'
import { CUTS, membersOf } from './cuts.ts'
import { expectDone, type Fault, type RollOut } from './fault.ts'
import { Hosts, MOMENTS } from './hosts.ts'

const MEMBERS = 3
const NAMES = ['host-1', 'host-2', 'host-3', 'host-4']

const anyMember = (): number => Math.floor(Math.random() * MEMBERS)
const aMoment = (): Promise<void> => pause(Math.random() * 400)

const FAULTS: Record<string, Fault> = {
  'a member is killed': (etcd, _, rollOut) => killed(etcd, anyMember, rollOut),
  'the leader is killed': (etcd, _, rollOut) => killed(etcd, () => etcd.leader(), rollOut),
  'a member hangs': (etcd, _, rollOut) => hung(etcd, [anyMember()], rollOut),
  'the majority hangs': (etcd, _, rollOut) => hung(etcd, [0, 1], rollOut),
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
    // longer than a host that could start would wait
    await pause(1_500)
    await hosts.resume()
    await all
    expectDone(hosts, 4)
  },
  'two groups share the engine': async (etcd, hosts, rollOut) => {
    const others = Hosts.onEtcd(() => etcd.endpoints, 'other')
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

/** A slot that is lost lets nobody on. */
const TOO_LONG_MS = 180_000

export const FLEET_FAULTS: Record<string, Fault> = { ...FAULTS, ...CUTS }

/** In words, what is not as it must be: more than one at work, a start after the halt, a slot that nobody can explain. */
export async function fleetFlaws(fault: string): Promise<string[]> {
  const etcd = await EtcdCluster.start({ members: MEMBERS, wired: fault in CUTS })
  const hosts = Hosts.onEtcd(
    (name) => (fault in CUTS ? membersOf(name, etcd.endpoints) : etcd.endpoints),
    'faults',
  )
  const rollOut: RollOut = async (options = {}, names = NAMES) => {
    await Promise.all(names.map((name) => hosts.upgrade(name, options[name])))
  }
  const late = pause(TOO_LONG_MS, 'late' as const, { ref: false })
  const trial = async (): Promise<string[]> => {
    await FLEET_FAULTS[fault]?.(etcd, hosts, rollOut)
    return await hosts.holders()
  }
  try {
    const left = await Promise.race([trial(), late])
    if (left === 'late') return [...hosts.flaws, `${hosts.done} hosts are done after ${TOO_LONG_MS / 1000} s`]
    return [...hosts.flaws, ...left.map((host) => `${host} still has a slot`)]
  } finally {
    hosts.stop()
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
  for (const member of members) await etcd.pause(member)
  // longer than a client waits for a member
  await pause(6_000)
  for (const member of members) etcd.unpause(member)
  await all
}

async function until(check: () => Promise<boolean>): Promise<void> {
  while (!(await check())) await pause(10)
}
