import { setTimeout as pause } from 'node:timers/promises'
import { createClock } from '../../agent/adapters/clock.ts'
import { GroupFleet } from '../../agent/adapters/fleet/group-fleet.ts'
import { AgentError } from '../../agent/core/errors.ts'
import type { Group } from '../../agent/core/fleet/group.ts'
import type { HostRecord } from '../../agent/core/fleet/host-record.ts'
import type { Fleet } from '../../agent/ports/fleet.ts'
import type { FleetStore } from '../../agent/ports/fleet-store.ts'
import { persistently } from '../../test/fleet/persistently.ts'

const TARGET = 'calico/node:v2'
/** What a simulated host needs for its upgrade. */
const WORK_MS = 5
/** In which all hosts get their config. */
const PUSH_MS = 10_000
/** An engine that is too busy is asked again. */
const RETRY_MS = 1_000

export interface Rollout {
  hosts: number
  mostAtOnce: number
  /** From the moment that a host gives its slot back to the start of the next one. */
  handOverMs: number[]
  /** Of all hosts, by the calls of the store. */
  requests: number
  seconds: number
}

/** How a host comes to its slot. */
export type Way = (fleet: Fleet, turn: { run: string; target: string }) => Promise<void>

export const byWatch: Way = (fleet, turn) =>
  fleet.waitFor(turn, {
    signal: new AbortController().signal,
    mayStart: () => Promise.resolve(),
    endEarlier: () => Promise.resolve(false),
    onWait: () => undefined,
  })

/** As kured asks for its lock: again after a fixed time, with a part of it left to chance. */
export const byPoll =
  (periodMs: number): Way =>
  async (fleet, turn) => {
    for (;;) {
      try {
        await fleet.take(turn)
        return
      } catch (error) {
        if (!(error instanceof AgentError) || error.code !== 'slot-held') throw error
      }
      await pause(periodMs * (0.9 + 0.2 * Math.random()))
    }
  }

/** All hosts want their slot at once: the agent's own fleet and client, with a host of milliseconds. */
export async function rollOut(
  store: () => FleetStore,
  hosts: number,
  slots: number,
  way: Way,
): Promise<Rollout> {
  const calls = { count: 0 }
  const began: number[] = []
  const ended: number[] = []
  let atWork = 0
  let mostAtOnce = 0
  const clock = createClock()
  const start = performance.now()
  const one = async (index: number): Promise<void> => {
    const name = `host-${index}`
    const fleet = new GroupFleet(counted(store(), calls), {
      group: 'bench',
      limits: { slots, stopAfter: 1 },
      clock,
      host: () => Promise.resolve({ name, machine: null }),
    })
    const turn = { run: `run-${index}`, target: TARGET }
    // no push reaches all hosts in the same millisecond
    await pause(Math.random() * PUSH_MS)
    await persistently(() => way(fleet, turn), RETRY_MS)
    began.push(performance.now())
    mostAtOnce = Math.max(mostAtOnce, ++atWork)
    await pause(WORK_MS)
    atWork--
    ended.push(performance.now())
    await persistently(() => fleet.giveBack({ ...turn, reason: null }), RETRY_MS)
    await persistently(() => fleet.record(() => done(index)), RETRY_MS)
  }
  await Promise.all(Array.from({ length: hosts }, (_, index) => one(index)))
  const handOverMs = began.slice(slots).map((at, i) => at - (ended[i] ?? at))
  return { hosts, mostAtOnce, handOverMs, requests: calls.count, seconds: (performance.now() - start) / 1000 }
}

function done(index: number): Omit<HostRecord, 'host'> {
  const now = new Date().toISOString()
  return {
    version: '0.0.0',
    target: TARGET,
    state: 'done',
    run: `run-${index}`,
    reason: null,
    askedAt: now,
    startedAt: now,
    endedAt: now,
    window: { usedMs: 4_000, birdDownMs: 300, budgetMs: 90_000 },
  }
}

/** In one revision of the group's document. */
export function holdersIn(text: string): number {
  return (JSON.parse(text) as Group).holders.length
}

/** A stream counts as one request. */
function counted(store: FleetStore, calls: { count: number }): FleetStore {
  const asked = <A extends unknown[], T>(call: (...args: A) => T) => {
    return (...args: A): T => {
      calls.count++
      return call(...args)
    }
  }
  return {
    read: asked(() => store.read()),
    write: asked((text, version, holders) => store.write(text, version, holders)),
    watch: asked((signal) => store.watch(signal)),
    records: asked(() => store.records()),
    record: asked((host) => store.record(host)),
    writeRecord: asked((host, text) => store.writeRecord(host, text)),
  }
}
