import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Snapshot } from '../../agent/ports/fleet-store.ts'
import { MemoryStore } from '../fakes/fleet-store.ts'
import { hostOn } from './group-on.ts'

/** Its stream says again what it has said, as one of another member does, or one that lags behind. */
class RepeatingStore extends MemoryStore {
  override async *watch(signal: AbortSignal): AsyncGenerator<Snapshot> {
    const repeat = async () => {
      await pause(1)
      return await this.read()
    }
    for (let times = 0; times < 3; times++) yield await repeat()
    yield* super.watch(signal)
  }
}

const waiting = () => ({
  signal: AbortSignal.timeout(60_000),
  mayStart: () => Promise.resolve(),
  endEarlier: () => Promise.resolve(false),
  onWait: () => undefined,
})

describe('a host that waits', () => {
  afterEach(() => {
    vi.restoreAllMocks()
  })

  it('starts where the document is told again, and does not change', async () => {
    const store = new RepeatingStore()
    await hostOn(store, 'host-1').waitFor({ run: 'run-1', target: 'v2' }, waiting())
    expect(store.written).toHaveLength(1)
  })

  it('leaves more time to others once it was too late', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.25)
    const store = new MemoryStore()
    const turn = { run: 'run-1', target: 'v2' }
    const faster = hostOn(store, 'host-2')
    const late = vi.spyOn(store, 'write').mockImplementationOnce(async () => {
      late.mockRestore()
      await faster.take(turn)
      return false
    })
    const waited = hostOn(store, 'host-1').waitFor(turn, waiting())
    await vi.waitUntil(() => store.written.length === 1, { timeout: 20_000 })
    await faster.giveBack('untouched')
    const free = performance.now()
    await waited
    // a quarter of 16 s, where it was a quarter of one
    expect(performance.now() - free).toBeGreaterThan(3_500)
  })

  it('sees at once that another one was faster, and waits for the next free slot', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.9)
    const store = new MemoryStore()
    const turn = { run: 'run-1', target: 'v2' }
    const waited = hostOn(store, 'host-1').waitFor(turn, waiting())
    await pause(100)
    const faster = hostOn(store, 'host-2')
    await faster.take(turn)
    await pause(100)
    await faster.giveBack('untouched')
    // not what is left of the first 0.9 s, and then another 0.9 s
    expect(await Promise.race([waited.then(() => 'started'), pause(1_300, 'waits')])).toBe('started')
  })
})
