import { setTimeout as pause } from 'node:timers/promises'
import { AgentError } from '../../core/errors.ts'
import type { FleetStore, Snapshot } from '../../ports/fleet-store.ts'

/** Between two tries of an engine that is away: the mean of it, as hosts must not come back in step. */
const AWAY_MS = 10_000
/** An engine ends a stream now and then. */
const ENDED_MS = 500
/** A stream that says nothing may be a dead one: another one begins with the document as it is. */
const QUIET_MS = 120_000

/** The newest document, for as long as somebody waits for a change of it. */
export class Feed {
  readonly #store: FleetStore
  readonly #signal: AbortSignal
  #latest: Snapshot | null = null
  #failure: { error: unknown } | null = null
  #news = Promise.withResolvers<undefined>()

  /** @param signal ends it */
  constructor(store: FleetStore, signal: AbortSignal) {
    this.#store = store
    this.#signal = signal
    void this.#run()
  }

  /** The newest one, as soon as there is one that is not `old`. Throws the signal's reason when it is aborted. */
  async after(old: Snapshot | null, onAway: (error: AgentError) => void): Promise<Snapshot> {
    for (;;) {
      this.#signal.throwIfAborted()
      if (this.#failure !== null) {
        const { error } = this.#failure
        if (!(error instanceof AgentError && error.isTransient)) throw error
        onAway(error)
      } else if (this.#latest !== null && this.#latest.version !== old?.version) return this.#latest
      await this.#news.promise
    }
  }

  /** Whether another version is there within `ms`; the same one told again is no change. */
  async changes(old: Snapshot, ms: number): Promise<boolean> {
    const time = new AbortController()
    const timeIsUp = pause(ms, 'up' as const, { signal: AbortSignal.any([this.#signal, time.signal]) })
    timeIsUp.catch(() => undefined)
    try {
      for (;;) {
        if (this.#latest !== null && this.#latest.version !== old.version) return true
        if ((await Promise.race([timeIsUp, this.#news.promise])) === 'up') return false
      }
    } finally {
      time.abort()
    }
  }

  async #run(): Promise<void> {
    this.#signal.addEventListener('abort', () => {
      this.#tell()
    })
    while (!this.#isOver()) {
      const ended = await this.#follow().catch((error: unknown) => ({ error }))
      if (this.#isOver()) return
      if (ended) {
        this.#failure = ended
        this.#tell()
      }
      const ms = jittered(ended ? AWAY_MS : ENDED_MS)
      await pause(ms, undefined, { signal: this.#signal }).catch(() => undefined)
    }
  }

  #isOver(): boolean {
    return this.#signal.aborted
  }

  async #follow(): Promise<undefined> {
    const quiet = new AbortController()
    const timer = setTimeout(() => {
      quiet.abort()
    }, jittered(QUIET_MS))
    try {
      const signal = AbortSignal.any([this.#signal, quiet.signal])
      for await (const snapshot of this.#store.watch(signal)) {
        timer.refresh()
        this.#learn(snapshot)
      }
    } catch (error) {
      if (!quiet.signal.aborted) throw error
    } finally {
      clearTimeout(timer)
    }
  }

  #learn(snapshot: Snapshot): void {
    this.#failure = null
    this.#latest = snapshot
    this.#tell()
  }

  #tell(): void {
    const news = this.#news
    this.#news = Promise.withResolvers()
    news.resolve(undefined)
  }
}

/** Between half of it and one and a half. */
export function jittered(ms: number): number {
  return ms * (0.5 + Math.random())
}
