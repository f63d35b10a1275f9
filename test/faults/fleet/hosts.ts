import { setTimeout as pause } from 'node:timers/promises'
import { createEtcdStore } from '../../../agent/adapters/fleet/etcd/store.ts'
import { GroupFleet } from '../../../agent/adapters/fleet/group-fleet.ts'
import { AgentError } from '../../../agent/core/errors.ts'
import type { Turn } from '../../../agent/core/fleet/group.ts'
import type { FleetStore } from '../../../agent/ports/fleet-store.ts'
import { persistently } from '../../fleet/persistently.ts'

const DAY_MS = 24 * 60 * 60_000

/** Where an agent may die with its slot held. */
export const MOMENTS = ['taken', 'at work', 'worked', 'given back'] as const

export interface HostOptions {
  /** How far its clock is from the others'. */
  clockDays?: number
  /** Where its agent dies, once. */
  dies?: (typeof MOMENTS)[number]
  /** Whether it comes back after that. */
  comesBack?: boolean
}

/** Of a group: who is at work by the hosts' own account, and what was seen that must not be. */
export class Hosts {
  readonly #slots: number
  readonly #fleets = new Map<string, GroupFleet>()
  readonly #atWork = new Map<string, string>()
  /** Runs whose slot an operator took away: another host may start beside them. */
  readonly #released = new Set<string>()
  readonly #store: (name: string) => FleetStore
  readonly #end = new AbortController()
  readonly flaws: string[] = []
  /** By name, in the order of their starts. */
  readonly started: string[] = []
  done = 0
  /** Since an operator's halt was answered: how many had started, and who had a slot by then. */
  #halted: { started: number; holders: string[] } | null = null
  #runs = 0

  constructor(store: (name: string) => FleetStore, slots: number) {
    this.#store = store
    this.#slots = slots
  }

  /** @param endpointsOf the members that a host knows */
  static onEtcd(endpointsOf: (name: string) => string[], group: string): Hosts {
    return new Hosts((name) => createEtcdStore({ endpoints: endpointsOf(name) }, group), 1)
  }

  fleetOf(name: string, clockDays = 0): GroupFleet {
    const known = this.#fleets.get(name)
    if (known) return known
    const fleet = new GroupFleet(this.#store(name), {
      group: 'faults',
      limits: { slots: this.#slots, stopAfter: 1_000 },
      clock: { date: () => new Date(Date.now() + clockDays * DAY_MS) },
      host: () => Promise.resolve({ name, machine: null }),
    })
    this.#fleets.set(name, fleet)
    return fleet
  }

  get atWork(): string | undefined {
    return [...this.#atWork.keys()][0]
  }

  /** One upgrade of one host, as the agent goes about it, with a death on the way. */
  async upgrade(name: string, { clockDays, dies, comesBack = true }: HostOptions = {}): Promise<void> {
    const fleet = this.fleetOf(name, clockDays)
    const turn = { run: `${name}-${++this.#runs}`, target: 'v2' }
    await fleet.waitFor(turn, {
      signal: this.#end.signal,
      mayStart: () => Promise.resolve(),
      endEarlier: () => Promise.resolve(false),
      onWait: () => undefined,
    })
    this.#begin(name, turn.run)
    if (dies === 'taken' && !(await this.#comesBack(fleet, turn, comesBack))) return
    await pause(20 + Math.random() * 80)
    if (dies === 'at work' && !(await this.#comesBack(fleet, turn, comesBack))) return
    this.#atWork.delete(name)
    if (dies === 'worked' && !(await this.#comesBack(fleet, turn, comesBack))) return
    this.#atWork.delete(name)
    await persistently(() => fleet.giveBack({ run: turn.run, reason: null }))
    // once more after its death: a slot of another host must stay
    if (dies === 'given back') await persistently(() => fleet.giveBack('untouched'))
    this.done++
  }

  /** Asks once, and gives the slot back at once; the next host may have it then. */
  async takeAtOnce(name: string): Promise<void> {
    const fleet = this.fleetOf(name)
    const turn = { run: `${name}-${++this.#runs}`, target: 'v2' }
    try {
      await fleet.take(turn)
    } catch {
      return
    }
    this.#begin(name, turn.run)
    await pause(50)
    this.#atWork.delete(name)
    await fleet.giveBack('untouched')
  }

  /** False where it never does; its slot stays. */
  async #comesBack(fleet: GroupFleet, turn: Turn, comesBack: boolean): Promise<boolean> {
    const name = await fleet.host()
    this.#atWork.delete(name)
    if (!comesBack) return false
    await pause(100)
    try {
      await persistently(() => fleet.take(turn))
      this.#begin(name, turn.run)
    } catch {
      // its slot was released and another host is at work: it goes back, and asks nobody
    }
    return true
  }

  #begin(name: string, run: string): void {
    this.started.push(name)
    this.#atWork.set(name, run)
    const counted = [...this.#atWork.values()].filter((one) => !this.#released.has(one))
    if (counted.length > this.#slots) this.flaws.push(`${counted.join(' and ')} at work at once`)
  }

  async release(name: string): Promise<void> {
    this.#released.add(this.#atWork.get(name) ?? '')
    await persistently(() => this.fleetOf('operator').release(name)).catch(ignoreNoSlot)
  }

  async halt(): Promise<void> {
    await persistently(() => this.fleetOf('operator').halt('test'))
    const started = this.started.length
    this.#halted = { started, holders: await this.holders() }
  }

  async resume(): Promise<void> {
    if (this.#halted !== null) {
      const { started, holders } = this.#halted
      // the answer to an earlier write may have been lost
      for (const name of this.startedSince(started, holders))
        this.flaws.push(`${name} started after the halt`)
    }
    await persistently(() => this.fleetOf('operator').resume())
  }

  /** Who has started since `count` had, but for those who had a slot. */
  startedSince(count: number, holders: string[]): string[] {
    return this.started.slice(count).filter((name) => !holders.includes(name))
  }

  /** Nobody waits any longer. */
  stop(): void {
    this.#end.abort()
  }

  /** Slots that are left, by the document. */
  async holders(): Promise<string[]> {
    const { holders } = await persistently(() => this.fleetOf('operator').summary())
    return holders.map(({ host }) => host)
  }
}

function ignoreNoSlot(error: unknown): void {
  if (!(error instanceof AgentError) || error.code !== 'no-slot') throw error
}
