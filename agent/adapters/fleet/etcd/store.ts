import type { FleetStore, Snapshot } from '../../../ports/fleet-store.ts'
import { EtcdClient } from './client.ts'
import type { EtcdConfig } from './credential.ts'
import { KEY_PREFIX } from './failure.ts'

/** A key and its value, base64; numbers are strings. */
interface KeyValue {
  key: string
  value?: string
  mod_revision: string
}

interface WatchMessage {
  /** From here on nothing is missed. */
  created?: boolean
  events?: { type?: 'DELETE'; kv: KeyValue }[]
  canceled?: boolean
}

/** What nobody has written has revision 0. */
const nothing: Snapshot = { text: null, version: '0' }

/** A key for the document of the group, and one below `hosts/` for each host; versions are revisions of the key. */
export function createEtcdStore(config: EtcdConfig, group: string): FleetStore {
  const client = new EtcdClient(config)
  const root = `${KEY_PREFIX}${group}/`
  const document = base64(`${root}document`)
  const hosts = `${root}hosts/`

  async function range(key: string, end?: string): Promise<KeyValue[]> {
    const body = { key, ...(end !== undefined && { range_end: end }) }
    const { kvs = [] } = (await client.call('/kv/range', body)) as { kvs?: KeyValue[] }
    return kvs
  }

  async function read(): Promise<Snapshot> {
    const [found] = await range(document)
    return found ? snapshotOf(found) : nothing
  }

  return {
    read,
    async write(text, version) {
      const { succeeded = false } = (await client.call('/kv/txn', {
        compare: [{ key: document, target: 'MOD', result: 'EQUAL', mod_revision: version }],
        success: [{ request_put: { key: document, value: base64(text) } }],
      })) as { succeeded?: boolean }
      return succeeded
    },
    async *watch(signal) {
      // not from a revision on: an old one is compacted away
      const request = { create_request: { key: document } }
      for await (const message of client.stream('/watch', request, signal)) {
        const { created = false, events = [], canceled = false } = message as WatchMessage
        if (created) yield await read()
        const last = events.at(-1)
        if (last) yield last.type === 'DELETE' ? nothing : snapshotOf(last.kv)
        if (canceled) return
      }
    },
    async records() {
      const found = await range(base64(hosts), base64(afterPrefix(hosts)))
      return new Map(
        found.map(({ key, value = '' }) => [fromBase64(key).slice(hosts.length), fromBase64(value)]),
      )
    },
    async record(host) {
      const [found] = await range(base64(`${hosts}${host}`))
      return found ? fromBase64(found.value ?? '') : null
    },
    async writeRecord(host, text) {
      await client.call('/kv/put', { key: base64(`${hosts}${host}`), value: base64(text) })
    },
  }
}

function snapshotOf({ value = '', mod_revision: version }: KeyValue): Snapshot {
  return { text: fromBase64(value), version }
}

/** The first key behind all that begin with it. */
function afterPrefix(prefix: string): string {
  return prefix.replace(/\/$/, '0')
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

function fromBase64(text: string): string {
  return Buffer.from(text, 'base64').toString('utf8')
}
