import { setTimeout as sleep } from 'node:timers/promises'

/** Asks until `check` answers true. Its last exception, if any, becomes the reason of the timeout. */
export async function until(
  what: string,
  check: () => Promise<boolean>,
  { timeoutMs, everyMs = 100 }: { timeoutMs: number; everyMs?: number },
): Promise<void> {
  const end = performance.now() + timeoutMs
  let reason = 'it did not happen'
  while (performance.now() < end) {
    try {
      if (await check()) return
      reason = 'it did not happen'
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error)
    }
    await sleep(everyMs)
  }
  throw new Error(`cannot wait longer than ${timeoutMs} ms for ${what}: ${reason}`)
}
