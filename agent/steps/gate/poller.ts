interface News<T> {
  value: T
  /** When the look began and ended, monotonic ms. */
  takenAt: number
  at: number
}

/**
 * A look that is repeated alongside others: none waits for another, and one that hangs holds up only itself. The look
 * must not reject.
 */
export class Poller<T> {
  readonly #take: () => Promise<T>
  #pending: Promise<void> | undefined
  #takenAt = -Infinity
  #news: News<T> | undefined

  constructor(take: () => Promise<T>) {
    this.#take = take
  }

  /** Begins a look, unless one is in progress or the last one began less than `everyMs` ago. */
  begin(everyMs: number, clock: { now(): number }): void {
    if (this.#pending !== undefined || clock.now() - this.#takenAt < everyMs) return
    const takenAt = clock.now()
    this.#takenAt = takenAt
    this.#pending = this.#take().then((value) => {
      this.#news = { value, takenAt, at: clock.now() }
      this.#pending = undefined
    })
  }

  /** The look in progress, and since when; undefined if there is none. */
  get pending(): { since: number; ended: Promise<void> } | undefined {
    return this.#pending && { since: this.#takenAt, ended: this.#pending }
  }

  /** What the last look found, once; undefined where none has ended since. */
  news(): News<T> | undefined {
    const news = this.#news
    this.#news = undefined
    return news
  }
}
