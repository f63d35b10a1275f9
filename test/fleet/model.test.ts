import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AgentError } from '../../agent/core/errors.ts'
import { emptyGroup, type Group, type TurnEnd } from '../../agent/core/fleet/group.ts'
import type { Fleet } from '../../agent/ports/fleet.ts'
import type { FleetStore } from '../../agent/ports/fleet-store.ts'
import { type Fault, MemoryStore } from '../fakes/fleet-store.ts'
import { hostOn } from './group-on.ts'

/**
 * What one host does next; a died host comes back by `resume`, as the agent does by its journal. `look`: a turn that ends
 * without a run, so that the newest run is an earlier one.
 */
type Act = 'upgrade' | 'fail' | 'look' | 'die' | 'halt' | 'resume' | 'release'

const HOSTS = ['host-1', 'host-2', 'host-3', 'host-4']
const ANY: Act[] = ['upgrade', 'upgrade', 'upgrade', 'fail', 'look', 'die', 'halt', 'resume', 'release']
const FAILING: Act[] = ['fail', 'look', 'resume', 'release']
const scriptOf = (acts: Act[]) =>
  fc.record({
    slots: fc.integer({ min: 1, max: 2 }),
    acts: fc.array(fc.tuple(fc.constantFrom(...HOSTS), fc.constantFrom(...acts)), {
      minLength: 4,
      maxLength: 30,
    }),
    faults: fc.infiniteStream(
      fc.oneof(
        { weight: 6, arbitrary: fc.constant<Fault>('none') },
        fc.constantFrom<Fault>('before', 'after'),
      ),
    ),
    delays: fc.infiniteStream(fc.integer({ min: 0, max: 2 })),
  })

/** Hosts of one group whose acts overlap, and a watcher that knows who is at work. */
class World {
  readonly atWork = new Map<string, string>()
  most = 0
  startedAfterHalt = 0
  isHalted = false
  #runs = 0
  #resumes = 0
  #resuming = 0
  readonly #released = new Set([''])
  /** What the newest run of each host says. */
  readonly #ends = new Map<string, TurnEnd>()
  readonly #slots: number
  readonly #fleetOf: (host: string) => Fleet

  constructor(slots: number, fleetOf: (host: string) => Fleet) {
    this.#slots = slots
    this.#fleetOf = fleetOf
  }

  async act(host: string, act: Act): Promise<void> {
    const fleet = this.#fleetOf(host)
    if (['upgrade', 'fail', 'look', 'die'].includes(act)) await this.#work(host, act, fleet)
    else if (act === 'release') {
      // an operator lets others start, whatever this host does
      this.#released.add(this.atWork.get(host) ?? '')
      await attempt(() => fleet.release(host))
    } else if (act === 'halt') await this.#halt(fleet)
    else {
      // it may be lifted from here on, even if the answer is lost
      this.isHalted = false
      this.#resumes++
      this.#resuming++
      await attempt(() => fleet.control?.resume())
      this.#resuming--
    }
  }

  /** Halted for certain: no resume at the same time may have come after it. */
  async #halt(fleet: Fleet): Promise<void> {
    const before = this.#resumes
    const isAlone = this.#resuming === 0
    const isHalted = await attempt(() => fleet.control?.halt('test'))
    if (isHalted && isAlone && before === this.#resumes) this.isHalted = true
  }

  async #work(host: string, act: Act, fleet: Fleet): Promise<void> {
    // one agent at a time on a host
    if (this.atWork.has(host)) return
    const run = `run-${++this.#runs}`
    const turn = { run, target: 'v2' }
    const wasHalted = this.isHalted
    this.atWork.set(host, '')
    if (!(await attempt(() => fleet.take(turn)))) {
      this.atWork.delete(host)
      await attempt(() => fleet.drop(run))
      return
    }
    if (wasHalted && this.isHalted) this.startedAfterHalt++
    this.atWork.set(host, run)
    const counted = [...this.atWork.values()].filter((one) => !this.#released.has(one))
    this.most = Math.max(this.most, counted.length)
    await new Promise((resolve) => setTimeout(resolve, 1))
    this.atWork.delete(host)
    // the slot stays: its agent resumes, or an operator releases it
    if (act === 'die') return
    if (act !== 'look') this.#ends.set(host, { run, reason: act === 'fail' ? 'failed' : null })
    await attempt(() => fleet.giveBack(this.#ends.get(host) ?? 'untouched'))
  }

  get isSafe(): boolean {
    return this.most <= this.#slots && this.startedAfterHalt === 0
  }
}

/** Failures that were told by another run than the one that had the slot. */
function toldLater(written: string[]): string[] {
  const groups = written.map((text) => JSON.parse(text) as Group)
  return groups.flatMap(({ failures }, i) => {
    const before = groups[i - 1] ?? emptyGroup
    const known = [...before.failures, ...before.holders].map(({ run }) => run)
    return failures.map(({ run }) => run).filter((run) => !known.includes(run))
  })
}

async function attempt(work: () => Promise<unknown> | undefined): Promise<boolean> {
  try {
    await work()
    return true
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
    return false
  }
}

async function play(world: World, all: [string, Act][]): Promise<void> {
  const each = HOSTS.map(async (host) => {
    for (const [name, act] of all) if (name === host) await world.act(host, act)
  })
  await Promise.all(each)
}

/** What a lock that reads before it writes does: the check and the write are two. */
class ReadThenWrite extends MemoryStore implements FleetStore {
  override async write(text: string): Promise<boolean> {
    const { version } = await this.read()
    return await super.write(text, version)
  }
}

describe('hosts of a group on a store that is slow, and fails before and after the write', () => {
  type Holds = (world: World, store: MemoryStore) => boolean
  const isSafe: Holds = (world) => world.isSafe
  const runs = (make: () => MemoryStore, numRuns: number, holds: Holds, acts = ANY) =>
    fc.check(
      fc.asyncProperty(scriptOf(acts), async ({ slots, acts: all, faults, delays }) => {
        const store = make()
        store.fault = () => faults.next().value as Fault
        store.delayMs = () => delays.next().value as number
        // nothing counts failures here: a failed target would stop everything after a while
        const world = new World(slots, (host) => hostOn(store, host, { slots, stopAfter: 1_000 }))
        await play(world, all)
        expect(holds(world, store)).toBe(true)
      }),
      { numRuns, endOnFailure: true },
    )

  it('are never more at work than there are slots, and never begin after a halt', async () => {
    const found = await runs(() => new MemoryStore(), 200, isSafe)
    expect(found.counterexample ?? null, fc.defaultReportMessage(found)).toBeNull()
  })

  it('tell of a failure in the turn of its run alone', async () => {
    const found = await runs(
      () => new MemoryStore(),
      100,
      (_, { written }) => toldLater(written).length === 0,
      FAILING,
    )
    expect(found.counterexample ?? null, fc.defaultReportMessage(found)).toBeNull()
  })

  it('are more with a lock that reads before it writes', async () => {
    expect((await runs(() => new ReadThenWrite(), 300, isSafe)).failed).toBe(true)
  })
})
