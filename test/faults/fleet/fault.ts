import type { EtcdCluster } from '../../fleet/etcd-cluster.ts'
import type { HostOptions, Hosts } from './hosts.ts'

/** What happens to a rollout of four hosts with one slot on an etcd of three members. */
export type Fault = (etcd: EtcdCluster, hosts: Hosts, rollOut: RollOut) => Promise<void>

/** Hosts at once, all of them where none is named, each with its own options. */
export type RollOut = (options?: Record<string, HostOptions>, names?: readonly string[]) => Promise<void>

export function expectDone(hosts: Hosts, count: number): void {
  if (hosts.done !== count) hosts.flaws.push(`${hosts.done} of ${count} hosts are done`)
}
