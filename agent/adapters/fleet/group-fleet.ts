import { setTimeout as pause } from 'node:timers/promises'
import { AgentError, ExitCode } from '../../core/errors.ts'
import {
  type Group,
  type Holder,
  type Limits,
  resumed,
  type Turn,
  type TurnEnd,
  withoutHolder,
  withoutRun,
} from '../../core/fleet/group.ts'
import { taken } from '../../core/fleet/take.ts'
import { summaryOf, viewOf } from '../../core/fleet/view.ts'
import type { HostIdentity } from '../../core/host-identity.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Fleet, FleetControl, Waiting } from '../../ports/fleet.ts'
import type { FleetStore, Snapshot } from '../../ports/fleet-store.ts'
import { groupOf, recordOf, textOfGroup, textOfRecord } from './documents.ts'
import { Feed, jittered } from './feed.ts'
import { sayOnce } from './say-once.ts'

export interface GroupOptions {
  /** The name of the group. */
  group: string
  limits: Limits
  clock: Pick<Clock, 'date'>
  /** This host's name in the group. */
  host: () => Promise<HostIdentity>
}

/** In which hosts that wait ask for a free slot: few of them do before they see that it is taken. */
const SPREAD_MS = 1_000
/** As soon as one was too late: it is one of many, or its engine is slow. */
const WIDE_SPREAD_MS = 16_000
/** A closed window, or an alert, is looked at again. */
const RECHECK_MS = 30_000
/** Of hosts that write at once, one is through after each round. */
const MAX_CONFLICTS = 200
const CONFLICT_PAUSE_MS = 20
/** What keeps a host from its slot until the document changes. */
const IN_DOCUMENT = ['slot-held', 'fleet-halted']

/** The hosts of a group share one document of the store, see core/fleet/group.ts. */
export class GroupFleet implements Fleet, FleetControl {
  readonly control = this
  readonly #store: FleetStore
  readonly #options: GroupOptions

  constructor(store: FleetStore, options: GroupOptions) {
    this.#store = store
    this.#options = options
  }

  get name(): string {
    return `group ${this.#options.group}`
  }

  async host(): Promise<string> {
    return (await this.#options.host()).name
  }

  async take(turn: Turn): Promise<void> {
    const holder = await this.#holder(turn)
    await this.#update((group) => this.#taken(group, holder, true))
  }

  async waitFor(turn: Turn, waiting: Waiting): Promise<void> {
    const holder = await this.#holder(turn)
    const found = new AbortController()
    const feed = new Feed(this.#store, AbortSignal.any([waiting.signal, found.signal]))
    const say = sayOnce(waiting.onWait)
    try {
      let seen: Snapshot | null = null
      let spreadMs = SPREAD_MS
      for (;;) {
        seen = await feed.after(seen, say)
        const end = await this.#tryTake(seen, holder, feed, { ...waiting, spreadMs }).catch(deferral)
        if (end === 'taken') return
        if (end === 'too-late') spreadMs = WIDE_SPREAD_MS
        if (end === 'too-late' || end === 'changed') continue
        say(end)
        const isOwn = end.code === 'slot-held' && this.#hasSlot(seen, holder.host)
        const isFollowed = isOwn ? await waiting.endEarlier() : IN_DOCUMENT.includes(end.code)
        if (isFollowed) continue
        await pause(jittered(RECHECK_MS), undefined, { signal: waiting.signal }).catch(() => undefined)
        seen = null
      }
    } finally {
      found.abort()
    }
  }

  async #tryTake(
    seen: Snapshot,
    holder: Holder,
    feed: Feed,
    { mayStart, spreadMs }: Pick<Waiting, 'mayStart'> & { spreadMs: number },
  ): Promise<'taken' | 'changed' | 'too-late'> {
    const before = this.#groupOf(seen)
    // the wait is no part of the work
    const after = this.#taken(before, { ...holder, since: this.#now() }, false)
    // its own write, whose answer was lost
    if (after === before) return 'taken'
    await mayStart()
    if (await feed.changes(seen, Math.random() * spreadMs)) return 'changed'
    return (await this.#write(after, seen.version)) ? 'taken' : 'too-late'
  }

  async giveBack(end: TurnEnd): Promise<true> {
    const name = await this.host()
    await this.#update((group) => withoutHolder(group, name, end, this.#now()))
    return true
  }

  /** Writes in any case: a `take` that is still on its way, its answer lost, then comes too late. */
  async drop(run: string): Promise<true> {
    const name = await this.host()
    await this.#update((group) => withoutRun(group, name, run) ?? { ...group })
    return true
  }

  async isHeld(): Promise<boolean> {
    return this.#hasSlot(await this.#store.read(), await this.host())
  }

  async record(next: Parameters<Fleet['record']>[0]): Promise<void> {
    const name = await this.host()
    const text = await this.#store.record(name)
    const said = next(text === null ? null : recordOf(name, text))
    if (said !== null && textOfRecord(said) !== text) await this.#store.writeRecord(name, textOfRecord(said))
  }

  async release(host: string): Promise<void> {
    const released = await this.#update((group) => withoutHolder(group, host, 'untouched', this.#now()))
    if (released) return
    throw new AgentError('no-slot', `cannot release ${host}: it has no slot of ${this.name}`, {
      fix: 'calico-agent fleet status shows which hosts are at work',
    })
  }

  async view(): ReturnType<FleetControl['view']> {
    const { group: name, limits, clock } = this.#options
    const group = this.#groupOf(await this.#store.read())
    const texts = await this.#store.records()
    const records = [...texts].flatMap(([host, text]) => recordOf(host, text) ?? [])
    return viewOf(group, records, { name, limits, now: clock.date() })
  }

  async summary(): ReturnType<FleetControl['summary']> {
    const { group, limits } = this.#options
    return summaryOf(this.#groupOf(await this.#store.read()), group, limits)
  }

  async halt(reason: string): Promise<void> {
    const by = await this.host()
    await this.#update((group) => ({ ...group, halt: { by, reason, at: this.#now() } }))
  }

  async resume(): Promise<boolean> {
    return await this.#update((group) => {
      const isHalted = group.halt !== null || group.failures.length > 0
      return isHalted ? resumed(group) : null
    })
  }

  #hasSlot(snapshot: Snapshot, name: string): boolean {
    return this.#groupOf(snapshot).holders.some(({ host }) => host === name)
  }

  async #holder(turn: Turn): Promise<Holder> {
    const { name, machine } = await this.#options.host()
    return { ...turn, host: name, machine, since: this.#now() }
  }

  #taken(group: Group, holder: Holder, isAlone: boolean): Group {
    const { limits, group: name } = this.#options
    return taken(group, { holder, limits, group: name, isAlone })
  }

  /** Reads, decides and writes, again where somebody else was faster; false where there is nothing to write. */
  async #update(change: (group: Group) => Group | null): Promise<boolean> {
    for (let conflicts = 0; conflicts < MAX_CONFLICTS; conflicts++) {
      const snapshot = await this.#store.read()
      const before = this.#groupOf(snapshot)
      const after = change(before)
      if (after === null || after === before) return after !== null
      if (await this.#write(after, snapshot.version)) return true
      await pause(Math.random() * CONFLICT_PAUSE_MS)
    }
    throw new AgentError(
      'fleet-unreachable',
      `cannot write the document of ${this.name}: other hosts keep changing it`,
      {
        fix: 'try again later',
        exitCode: ExitCode.deferred,
        isTransient: true,
      },
    )
  }

  async #write(group: Group, version: string): Promise<boolean> {
    const holders = group.holders.map(({ host }) => host).join(',')
    const text = textOfGroup({ ...group, serial: group.serial + 1 })
    return await this.#store.write(text, version, holders)
  }

  #groupOf({ text }: Snapshot): Group {
    return groupOf(text, `the document of ${this.name}`)
  }

  #now(): string {
    return this.#options.clock.date().toISOString()
  }
}

/** Why a host must wait; anything else that is thrown ends the wait. */
function deferral(error: unknown): AgentError {
  if (error instanceof AgentError && (error.exitCode === ExitCode.deferred || error.isTransient)) return error
  throw error
}
