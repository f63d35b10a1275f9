import { readFileSync } from 'node:fs'
import { setTimeout as sleepUntil } from 'node:timers/promises'
import type { Clock } from '../ports/clock.ts'

/**
 * The host's clock. process.hrtime is CLOCK_MONOTONIC on Linux: one clock for all processes of a boot, which a
 * change of the wall time does not move.
 */
export function createClock(): Clock {
  // the same for as long as the process lives
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  return {
    now: () => Number(process.hrtime.bigint()) / 1e6,
    date: () => new Date(),
    bootId: () => bootId,
    sleep,
  }
}

async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await sleepUntil(ms, undefined, signal === undefined ? {} : { signal })
  } catch (error) {
    // node:timers wraps the reason
    signal?.throwIfAborted()
    throw error
  }
}
