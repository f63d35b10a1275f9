export interface Clock {
  /** Milliseconds of the monotonic clock: counts from boot, the same for all processes. */
  now(): number
  /** Wall time, for people. */
  date(): Date
  /** Changes at each boot of the host. */
  bootId(): string
  /** Rejects with the signal's reason when it is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}
