import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../../agent/ports/clock.ts'

interface Sleeper {
  due: number
  wake(): void
}

/**
 * A clock that stands still between sleeps. It jumps to the next sleeper's time as soon as everybody sleeps;
 * with `manual`, only `advance` moves it.
 */
export class FakeClock implements Clock {
  readonly #manual: boolean
  #now: number
  #boot = 1
  #sleepers: Sleeper[] = []
  #wallOffset = 0

  constructor({ now = 1_000_000, manual = false }: { now?: number; manual?: boolean } = {}) {
    this.#now = now
    this.#manual = manual
  }

  now(): number {
    return this.#now
  }

  /** Moves with the monotonic clock, from 2026-11-22T14:15:03Z on, unless it is set. */
  date(): Date {
    return new Date(Date.UTC(2026, 10, 22, 14, 15, 3) + this.#now - 1_000_000 + this.#wallOffset)
  }

  bootId(): string {
    return `boot-${this.#boot}`
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<undefined>()
    const sleeper = {
      due: this.#now + ms,
      wake: () => {
        resolve(undefined)
      },
    }
    const abort = (): void => {
      this.#sleepers = this.#sleepers.filter((other) => other !== sleeper)
      reject(signal?.reason as Error)
    }
    signal?.addEventListener('abort', abort, { once: true })
    this.#sleepers.push(sleeper)
    if (!this.#manual) void setImmediate().then(() => this.#wakeNext())
    await promise.finally(() => signal?.removeEventListener('abort', abort))
  }

  /** Moves the time by `ms`, waking the sleepers on the way in their order. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms
    await setImmediate()
    while (this.#wakeNext(until)) await setImmediate()
    this.#now = until
  }

  /** Work that takes time, such as a fake's answer. */
  pass(ms: number): void {
    this.#now += ms
  }

  /** Somebody, or NTP, sets the wall clock. */
  setWall(byMs: number): void {
    this.#wallOffset += byMs
  }

  /** Another boot: the monotonic clock starts again. */
  reboot(): void {
    this.#boot += 1
    this.#now = 10_000
    this.#sleepers = []
  }

  #wakeNext(until = Infinity): boolean {
    const next = this.#sleepers.reduce<Sleeper | undefined>(
      (first, sleeper) => (first !== undefined && first.due <= sleeper.due ? first : sleeper),
      undefined,
    )
    if (next === undefined || next.due > until) return false
    this.#sleepers = this.#sleepers.filter((sleeper) => sleeper !== next)
    this.#now = Math.max(this.#now, next.due)
    next.wake()
    return true
  }
}
