import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
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

describe('a host that waits', () => {
  it('starts where the document is told again, and does not change', async () => {
    const store = new RepeatingStore()
    await hostOn(store, 'host-1').waitFor(
      { run: 'run-1', target: 'v2' },
      { signal: AbortSignal.timeout(30_000), mayStart: () => Promise.resolve(), onWait: () => undefined },
    )
    expect(store.written).toHaveLength(1)
  })
})
