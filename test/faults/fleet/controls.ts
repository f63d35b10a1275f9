import { setTimeout as pause } from 'node:timers/promises'
import { EtcdClient } from '../../../agent/adapters/fleet/etcd/client.ts'
import { createEtcdStore } from '../../../agent/adapters/fleet/etcd/store.ts'
import type { FleetStore } from '../../../agent/ports/fleet-store.ts'
import { EtcdCluster } from '../../fleet/etcd-cluster.ts'
import { Hosts } from './hosts.ts'

const NAMES = ['host-1', 'host-2', 'host-3', 'host-4']

/** The write asks for the version that it finds itself: a lock that reads before it writes. */
function readThenWrite(store: FleetStore): FleetStore {
  return {
    ...store,
    write: async (text, _version, holders) => {
      const { version } = await store.read()
      return await store.write(text, version, holders)
    },
  }
}

export async function readThenWriteFlaws(): Promise<string[]> {
  const etcd = await EtcdCluster.start()
  try {
    const hosts = new Hosts(() => readThenWrite(createEtcdStore({ endpoints: etcd.endpoints }, 'control')), 1)
    // hosts that find the slot free in the same moment
    for (let rounds = 0; rounds < 20 && hosts.flaws.length === 0; rounds++)
      await Promise.all(NAMES.map((name) => hosts.takeAtOnce(name)))
    return hosts.flaws
  } finally {
    await etcd.stop()
  }
}

/** A lock that ends by itself, as kured's with a time to live, and a host that is slower than it. */
export async function timeToLiveFlaws(): Promise<string[]> {
  const etcd = await EtcdCluster.start()
  try {
    const client = new EtcdClient({ endpoints: etcd.endpoints })
    const key = Buffer.from('lock').toString('base64')
    let atWork = 0
    const flaws: string[] = []
    const upgrade = async (name: string): Promise<void> => {
      const take = async (): Promise<boolean> => {
        const { ID: lease } = (await client.call('/lease/grant', { TTL: '1' })) as { ID: string }
        const put = { key, value: Buffer.from(name).toString('base64'), lease }
        const { succeeded = false } = (await client.call('/kv/txn', {
          compare: [{ key, target: 'CREATE', result: 'EQUAL', create_revision: '0' }],
          success: [{ request_put: put }],
        })) as { succeeded?: boolean }
        return succeeded
      }
      while (!(await take())) await pause(100)
      atWork++
      if (atWork > 1) flaws.push(`${name} is not alone`)
      for (let waited = 0; waited < 30_000 && flaws.length === 0; waited += 100) await pause(100)
      atWork--
    }
    await Promise.all(['host-1', 'host-2'].map(upgrade))
    return flaws
  } finally {
    await etcd.stop()
  }
}
