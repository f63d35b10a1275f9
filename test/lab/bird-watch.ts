import { createConnection } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { birdBootedAt, birdRecovering, birdSessions } from './bird.ts'
import type { Host } from './host.ts'
import { until } from './poll.ts'

/** The window as seen from outside the host; ms since BIRD's last sign of life. */
type WindowSeen = { birdDownMs: number; sessionsBackMs: number; recoveredMs: number }

export type BirdWatch = {
  /** Waits until a BIRD that died is back and recovered. */
  recovered(timeoutMs: number): Promise<WindowSeen>
  /** How long BIRD was down, without waiting for its sessions. */
  down(timeoutMs: number): Promise<number>
}

const POLL_MS = 1

/** Watches the host's BIRD from now on, by a connection a millisecond: nobody's own account is taken for it. */
export async function watchBird(host: Host): Promise<BirdWatch> {
  const path = host.birdSocketPath()
  const established = (await birdSessions(path)).filter(({ state }) => state === 'Established').length
  const bootedAt = await birdBootedAt(path)
  // one that is told to end greets on for a while
  const isAnother = async (): Promise<boolean> =>
    (await birdBootedAt(path).catch(() => bootedAt)) !== bootedAt
  let lastSign = performance.now()
  let firstSign: number | undefined
  let sawDown = false
  const watching = (async () => {
    while (firstSign === undefined) {
      const asked = performance.now()
      const greets = await greeted(path)
      const greetedAt = performance.now()
      if (greets && sawDown && (await isAnother())) firstSign = greetedAt
      else if (greets) lastSign = asked
      sawDown = !greets
      await sleep(POLL_MS)
    }
  })()
  const down = async (timeoutMs: number): Promise<number> => {
    await Promise.race([watching, sleep(timeoutMs, undefined, { ref: false })])
    if (firstSign === undefined)
      throw new Error(`cannot see BIRD come back on ${host.name} in ${timeoutMs} ms`)
    return firstSign - lastSign
  }
  return {
    down,
    recovered: async (timeoutMs) => {
      const birdDownMs = await down(timeoutMs)
      const since = (): number => performance.now() - lastSign
      const wait = { timeoutMs, everyMs: 20 }
      await until('the sessions of BIRD', async () => (await sessionsUp(path)) >= established, wait)
      const sessionsBackMs = since()
      await until('the end of the recovery', async () => !(await birdRecovering(path)), wait)
      return { birdDownMs, sessionsBackMs, recoveredMs: since() }
    },
  }
}

async function sessionsUp(path: string): Promise<number> {
  return (await birdSessions(path)).filter(({ state }) => state === 'Established').length
}

function greeted(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path)
    const settle = (greets: boolean): void => {
      socket.destroy()
      resolve(greets)
    }
    socket.once('data', () => {
      settle(true)
    })
    socket.once('error', () => {
      settle(false)
    })
    // BIRD was killed between its accept and its greeting.
    socket.once('close', () => {
      settle(false)
    })
    socket.setTimeout(1_000, () => {
      settle(false)
    })
  })
}
