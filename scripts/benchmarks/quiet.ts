import { cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

const LOOK_MS = 300
const IDLE_SHARE = 0.7
const LIMIT_MS = 15_000

/**
 * Waits until the processors are mostly idle, so that other work affects neither side: the end of the last round, or
 * someone's job. A machine that is never quiet is measured as it is.
 */
export async function untilQuiet(): Promise<void> {
  const end = performance.now() + LIMIT_MS
  let before = ticks()
  while (performance.now() < end) {
    await sleep(LOOK_MS)
    const now = ticks()
    if (now.idle - before.idle >= IDLE_SHARE * (now.all - before.all)) return
    before = now
  }
}

function ticks(): { idle: number; all: number } {
  const times = cpus().map((cpu) => cpu.times)
  const idle = times.reduce((sum, each) => sum + each.idle, 0)
  return { idle, all: times.reduce((sum, { user, nice, sys, irq }) => sum + user + nice + sys + irq, idle) }
}
