import type { Config } from '../config/schema.ts'
import { type Listener, listenAtSocket, listenAtTcp, type Pages } from './http.ts'

/** Where the service listens, by the current config: one that changes is closed and opened elsewhere. */
export class Listeners {
  readonly #pages: () => Pages
  readonly #open = new Map<string, Listener>()

  constructor(pages: () => Pages) {
    this.#pages = pages
  }

  /** @throws AgentError for the first that cannot be opened; the others are. */
  async openAt({ socket, listen }: Config['service']): Promise<void> {
    const wanted = new Map([
      [socket, listenAtSocket],
      ...(listen === undefined ? [] : [[listen, listenAtTcp] as const]),
    ])
    for (const [where, listener] of this.#open) {
      if (wanted.has(where)) continue
      this.#open.delete(where)
      await listener.close()
    }
    const closed = [...wanted].filter(([where]) => !this.#open.has(where))
    const opened = await Promise.allSettled(
      closed.map(async ([where, listenAt]) => this.#open.set(where, await listenAt(where, this.#pages()))),
    )
    for (const one of opened) if (one.status === 'rejected') throw one.reason
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map((listener) => listener.close()))
  }
}
