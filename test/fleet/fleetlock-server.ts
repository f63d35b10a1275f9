import { createServer, type Server } from 'node:http'
import type { FleetStore } from '../../agent/ports/fleet-store.ts'

interface Body {
  client_params: { id: string; group: string }
}

/**
 * A FleetLock server on a store, as airlock is one on etcd: `pre-reboot` takes one of the slots of a group, again for the
 * same identifier, `steady-state` gives it back. It stands in for airlock, which cannot be had here.
 */
export class FleetLockServer {
  readonly #server: Server
  readonly #stores = new Map<string, FleetStore>()
  readonly #storeOf: (group: string) => FleetStore
  readonly #slots: number

  private constructor(storeOf: (group: string) => FleetStore, slots: number) {
    this.#storeOf = storeOf
    this.#slots = slots
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const isProtocol = request.headers['fleet-lock-protocol'] === 'true'
        void this.#answer(isProtocol ? (request.url ?? '') : '', Buffer.concat(chunks).toString()).then(
          ([status, kind, value]) => {
            response.writeHead(status, { 'Content-Type': 'application/json' })
            response.end(status === 200 ? '' : JSON.stringify({ kind, value }))
          },
        )
      })
    })
  }

  static async start(storeOf: (group: string) => FleetStore, slots = 1): Promise<FleetLockServer> {
    const one = new FleetLockServer(storeOf, slots)
    await new Promise<void>((resolve) => one.#server.listen(0, '127.0.0.1', resolve))
    return one
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as { port: number }).port}`
  }

  stop(): void {
    this.#server.close()
  }

  async #answer(path: string, text: string): Promise<[status: number, kind?: string, value?: string]> {
    const { id, group } = (JSON.parse(text) as Body).client_params
    const store = this.#stores.get(group) ?? this.#storeOf(`lock-${group}`)
    this.#stores.set(group, store)
    for (;;) {
      const { text: before, version } = await store.read()
      const holders = JSON.parse(before ?? '[]') as string[]
      const others = holders.filter((holder) => holder !== id)
      if (path === '/v1/pre-reboot') {
        if (others.length >= this.#slots)
          return [409, 'failed_lock_semaphore_full', 'semaphore currently full, all slots are locked already']
        others.push(id)
      } else if (path !== '/v1/steady-state') return [404, 'not_found', path]
      if (await store.write(JSON.stringify(others), version, '')) return [200]
    }
  }
}
