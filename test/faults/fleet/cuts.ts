import { setTimeout as pause } from 'node:timers/promises'
import type { EtcdCluster } from '../../fleet/etcd-cluster.ts'
import { expectDone, type Fault, type RollOut } from './fault.ts'
import type { Hosts } from './hosts.ts'

/** They know the member that is cut off, and no other. */
const BEHIND = ['host-1', 'host-2']
const AHEAD = ['host-3', 'host-4']

/** Longer than a client waits for a member, and than the others need to elect a leader. */
const CUT_MS = 6_000

/** Of members that are each in a network of its own: the link of one is down, and it leads or not. */
export const CUTS: Record<string, Fault> = {
  'the member of two agents is cut off from the majority': async (etcd, hosts, rollOut) => {
    const all = await behindCut(etcd, hosts, rollOut, async (ahead, holders) => {
      // who has the slot behind the cut cannot give it back
      if (!holders.some((name) => BEHIND.includes(name))) await ahead
    })
    await all.done
    expectDone(hosts, 4)
  },
  'the fleet is halted where two agents cannot see it': async (etcd, hosts, rollOut) => {
    const all = await behindCut(etcd, hosts, rollOut, () => hosts.halt())
    // now they see it
    await pause(1_500)
    await hosts.resume()
    await all.done
    expectDone(hosts, 4)
  },
}

export function membersOf(host: string, [first = '', ...others]: string[]): string[] {
  return BEHIND.includes(host) ? [first] : others
}

/** What happens during a rollout while the link is down; `done` once all hosts are. */
async function behindCut(
  etcd: EtcdCluster,
  hosts: Hosts,
  rollOut: RollOut,
  meanwhile: (ahead: Promise<void>, holders: string[]) => Promise<void>,
): Promise<{ done: Promise<unknown> }> {
  const ahead = rollOut({}, AHEAD)
  const done = Promise.all([ahead, rollOut({}, BEHIND)])
  await pause(Math.random() * 1_500)
  await etcd.cut(0)
  const started = hosts.started.length
  const holders = await hosts.holders()
  await Promise.all([pause(CUT_MS), meanwhile(ahead, holders)])
  for (const name of hosts.startedSince(started, holders))
    if (BEHIND.includes(name)) hosts.flaws.push(`${name} started behind the cut`)
  await etcd.mend(0)
  return { done }
}
