import { setTimeout as sleep } from 'node:timers/promises'

/** Nobody waits for it where all is well, and a busy machine is slow. */
const LONG_MS = 300_000

/** Asks until `check` answers true, and once more when the time is up. Its last exception, if any, becomes the reason of the timeout. */
export async function until(
  what: string,
  check: () => Promise<boolean>,
  { timeoutMs = LONG_MS, everyMs = 100 }: { timeoutMs?: number; everyMs?: number } = {},
): Promise<void> {
  const end = performance.now() + timeoutMs
  for (;;) {
    const isLast = performance.now() >= end
    let reason = 'it did not happen'
    try {
      if (await check()) return
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error)
    }
    if (isLast) throw new Error(`cannot wait longer than ${timeoutMs} ms for ${what}: ${reason}`)
    await sleep(everyMs)
  }
}
