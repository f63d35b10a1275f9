import { expect, it } from 'vitest'
import { GroupFleet } from '../../agent/adapters/fleet/group-fleet.ts'
import { FakeClock } from '../fakes/clock.ts'
import { MemoryStore } from '../fakes/fleet-store.ts'
import { fleetContract } from './fleet-contract.ts'
import { fleetStoreContract } from './fleet-store-contract.ts'

fleetStoreContract('in memory', () => Promise.resolve(new MemoryStore()))

function groupInMemory(clock: FakeClock): (name: string) => GroupFleet {
  const store = new MemoryStore()
  const options = { group: 'default', limits: { slots: 1, stopAfter: 1 }, clock }
  return (name) => new GroupFleet(store, { ...options, host: () => Promise.resolve({ name, machine: null }) })
}

fleetContract('a document in memory', () => Promise.resolve(groupInMemory(new FakeClock())))

it('counts no wait as work: who is at work for long is taken for lost', async () => {
  const clock = new FakeClock({ manual: true })
  const at = groupInMemory(clock)
  const turn = { run: 'run-1', target: 'calico/node:v2' }
  await at('host-1').take(turn)
  const heard = Promise.withResolvers<undefined>()
  const taken = at('host-2').waitFor(
    { ...turn, run: 'run-2' },
    {
      signal: new AbortController().signal,
      mayStart: () => Promise.resolve(),
      endEarlier: () => Promise.resolve(false),
      onWait: () => {
        heard.resolve(undefined)
      },
    },
  )
  await heard.promise
  await clock.advance(3_600_000)
  await at('host-1').giveBack('untouched')
  await taken
  const { hosts } = await at('host-3').view()
  expect(hosts).toMatchObject([{ host: 'host-2', state: 'at-work', startedAt: clock.date().toISOString() }])
})
