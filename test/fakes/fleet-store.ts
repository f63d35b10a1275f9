import { setTimeout as pause } from 'node:timers/promises'
import type { FleetStore, Snapshot } from '../../agent/ports/fleet-store.ts'
import { fleetAway } from './fleet.ts'

/** What goes wrong with one call: nothing, no answer and no effect, or an effect whose answer is lost. */
export type Fault = 'none' | 'before' | 'after'

/** An engine in memory: linearizable, as slow and as unreliable as `fault` and `delayMs` say. */
export class MemoryStore implements FleetStore {
  /** Of the next call of any host. */
  fault: () => Fault = () => 'none'
  delayMs: () => number = () => 0
  /** Each document that was written, in order. */
  readonly written: string[] = []
  reads = 0
  #text: string | null = null
  #version = 0
  readonly #records = new Map<string, string>()
  #changed = Promise.withResolvers<undefined>()

  read(): Promise<Snapshot> {
    this.reads++
    return this.#call(() => this.#snapshot())
  }

  write(text: string, version: string): Promise<boolean> {
    return this.#call(() => {
      if (version !== String(this.#version)) return false
      this.#text = text
      this.#version++
      this.written.push(text)
      const changed = this.#changed
      this.#changed = Promise.withResolvers()
      changed.resolve(undefined)
      return true
    })
  }

  async *watch(signal: AbortSignal): AsyncGenerator<Snapshot> {
    const ended = Promise.withResolvers<undefined>()
    signal.addEventListener('abort', () => {
      ended.resolve(undefined)
    })
    for (let seen = -1; !signal.aborted; ) {
      if (seen !== this.#version) {
        seen = this.#version
        yield await this.#call(() => this.#snapshot())
        continue
      }
      await Promise.race([this.#changed.promise, ended.promise])
    }
  }

  records(): Promise<Map<string, string>> {
    return this.#call(() => new Map(this.#records))
  }

  record(host: string): Promise<string | null> {
    return this.#call(() => this.#records.get(host) ?? null)
  }

  writeRecord(host: string, text: string): Promise<void> {
    return this.#call(() => void this.#records.set(host, text))
  }

  #snapshot(): Snapshot {
    return { text: this.#text, version: String(this.#version) }
  }

  async #call<T>(work: () => T): Promise<T> {
    const fault = this.fault()
    await pause(this.delayMs())
    if (fault === 'before') throw fleetAway()
    const answer = work()
    await pause(this.delayMs())
    if (fault === 'after') throw fleetAway()
    return answer
  }
}
