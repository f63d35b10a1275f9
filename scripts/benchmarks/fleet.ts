import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EtcdClient } from '../../agent/adapters/fleet/etcd/client.ts'
import { createEtcdStore } from '../../agent/adapters/fleet/etcd/store.ts'
import { EtcdCluster } from '../../test/fleet/etcd-cluster.ts'
import { execOk } from '../../test/lab/exec.ts'
import type { Kubernetes } from '../../test/lab/index.ts'
import { onSwitch } from '../../test/lab/net.ts'
import { byPoll, byWatch, holdersIn, type Rollout, rollOut, type Way } from './fleet-rollout.ts'
import { type Part, type Stage, say } from './part.ts'
import type { Series } from './statistics.ts'

const HOSTS = 1_000
const SLOTS = 1
/** kured's is a minute; a rollout of simulated hosts has no time for that. */
const POLL_MS = 5_000
/** A poller finds a free slot after some of its periods: fewer hosts take long enough. */
const POLLERS = 200
const NAMESPACE = 'bench-fleet'
const leaseHosts = join(import.meta.dirname, 'fleet-hosts.ts')

interface Measured extends Rollout {
  /** Holders at once, by the revisions of the engine. */
  mostByRevisions: number
  engineSeconds: number
  bytes: number
}

export const fleet: Part = {
  name: 'fleet',
  title: 'a thousand hosts and one slot',
  rounds: 1,
  how: `${HOSTS} simulated hosts get the same target within 10 s and want the one slot of their group: the agent's own fleet code and
clients in one process, a host that works for 5 ms, on a real etcd 3.4 of three members with TLS and on the real API server of
Kubernetes 1.23.17, all on the processors of this machine. The hand-over is from the end of one host's work to the start of
the next one's. Requests are the calls of a host, the stream of its watch as one. CPU of the engine and bytes are the
engine's own figures, of all members. The poller asks every ${POLL_MS / 1000} s, as kured does every minute, with ${POLLERS} hosts.`,
  meaning:
    'A host that waits keeps one stream open and asks for nothing: each change of the document costs the engine one message to each of them. The poller asks for as long as it waits, and in a rollout of milliseconds it waits for few of its periods; with turns of half a minute, 200 hosts that ask every minute ask 50 times each. At first many hosts ask at once: each of them is too late once. Most of the hand-over is the time of the process that plays all hosts, and of the engine on the same processors.',
  ratios: [
    {
      key: 'fleetRequestsVsPoller',
      of: 'etcd: requests per host',
      to: 'etcd, poller: requests per host',
    },
  ],
  totals: (series) => ({
    fleetHosts: HOSTS,
    fleetSlots: SLOTS,
    fleetMostAtOnce: Math.max(...valuesOf(series, 'most at once')),
    fleetRequestsPerHost: Math.max(...valuesOf(series, 'etcd: requests per host')),
  }),
  figures: [{ key: 'fleetHandOverMs', of: 'etcd: hand-over, ms' }],
  async measure(stage) {
    const series: Series[] = []
    const onEtcd = await withEtcd((etcd) => measureEtcd(etcd, HOSTS, byWatch))
    series.push(...seriesOf('etcd', onEtcd))
    const polled = await withEtcd((etcd) => measureEtcd(etcd, POLLERS, byPoll(POLL_MS)))
    series.push(...seriesOf('etcd, poller', polled))
    series.push(...seriesOf('Leases', await measureLeases(stage)))
    return series
  },
}

function seriesOf(label: string, measured: Measured): Series[] {
  const { hosts, handOverMs, requests, engineSeconds, bytes, mostAtOnce, mostByRevisions, seconds } = measured
  say(
    `fleet, ${label}: ${hosts} hosts in ${seconds.toFixed(0)} s, ${requests} requests, ${mostAtOnce} at once`,
  )
  return [
    { label: `${label}: hand-over, ms`, values: handOverMs },
    { label: `${label}: requests per host`, values: [requests / hosts] },
    { label: `${label}: engine CPU per host, ms`, values: [(engineSeconds * 1000) / hosts] },
    ...(bytes > 0 ? [{ label: `${label}: kB per host`, values: [bytes / 1000 / hosts] }] : []),
    { label: `${label}: most at once`, values: [mostAtOnce, mostByRevisions] },
  ]
}

function valuesOf(series: Series[], of: string): number[] {
  return series.filter(({ label }) => label.endsWith(of)).flatMap(({ values }) => values)
}

async function withEtcd<T>(work: (etcd: EtcdCluster) => Promise<T>): Promise<T> {
  const etcd = await EtcdCluster.start({ members: 3, tls: true })
  try {
    return await work(etcd)
  } finally {
    await etcd.stop()
  }
}

async function measureEtcd(etcd: EtcdCluster, hosts: number, way: Way): Promise<Measured> {
  const config = { endpoints: etcd.endpoints, ...etcd.identity }
  const before = await etcdCost(etcd)
  const rollout = await rollOut(() => createEtcdStore(config, 'bench'), hosts, SLOTS, way)
  const after = await etcdCost(etcd)
  return {
    ...rollout,
    engineSeconds: after.seconds - before.seconds,
    bytes: after.bytes - before.bytes,
    mostByRevisions: await mostHolders(new EtcdClient(config)),
  }
}

/** By the members' own metrics. */
async function etcdCost(etcd: EtcdCluster): Promise<{ seconds: number; bytes: number }> {
  const texts = await Promise.all(etcd.endpoints.map((_, index) => etcd.metrics(index)))
  const sum = (name: RegExp): number =>
    texts.flatMap((text) => [...text.matchAll(name)]).reduce((all, [, value]) => all + Number(value), 0)
  return {
    seconds: sum(/^process_cpu_seconds_total (\S+)$/gm),
    bytes: sum(/^etcd_network_client_grpc_(?:received|sent)_bytes_total (\S+)$/gm),
  }
}

/** In each revision of the document that there ever was. */
async function mostHolders(client: EtcdClient): Promise<number> {
  const key = Buffer.from('calico-agent/bench/document').toString('base64')
  const { kvs = [] } = (await client.call('/kv/range', { key })) as { kvs?: { mod_revision: string }[] }
  const newest = kvs[0]?.mod_revision
  const end = new AbortController()
  const all = { create_request: { key, start_revision: '1' } }
  let most = 0
  for await (const message of client.stream('/watch', all, end.signal)) {
    const { events = [] } = message as { events?: { kv: { value: string; mod_revision: string } }[] }
    for (const { kv } of events) most = Math.max(most, holdersIn(Buffer.from(kv.value, 'base64').toString()))
    if (events.some(({ kv }) => kv.mod_revision === newest)) break
  }
  end.abort()
  return most
}

async function measureLeases({ lab }: Stage): Promise<Measured> {
  const cluster = lab.kubernetes()
  await cluster.start()
  const directory = await mkdtemp(join(tmpdir(), 'bench-fleet-'))
  try {
    const kubeconfig = join(directory, 'kubeconfig')
    await writeFile(
      kubeconfig,
      await cluster.kubeconfigOf('bench', { name: 'bench', group: 'system:masters' }),
    )
    await cluster.kubectl(['create', 'namespace', NAMESPACE])
    const before = await apiServerSeconds(cluster)
    const argv = [process.execPath, leaseHosts, kubeconfig, NAMESPACE, String(HOSTS), String(SLOTS)]
    const rollout = JSON.parse(await execOk(onSwitch(argv))) as Omit<Measured, 'engineSeconds' | 'bytes'>
    return { ...rollout, engineSeconds: (await apiServerSeconds(cluster)) - before, bytes: 0 }
  } finally {
    await rm(directory, { recursive: true })
    await cluster.kill()
  }
}

async function apiServerSeconds(cluster: Kubernetes): Promise<number> {
  const metrics = await cluster.kubectl(['get', '--raw', '/metrics'])
  return Number(/^process_cpu_seconds_total (\S+)$/m.exec(metrics)?.[1])
}
