import { GroupFleet } from '../../agent/adapters/fleet/group-fleet.ts'
import { FakeClock } from '../fakes/clock.ts'
import { MemoryStore } from '../fakes/fleet-store.ts'
import { fleetContract } from './fleet-contract.ts'
import { fleetStoreContract } from './fleet-store-contract.ts'

fleetStoreContract('in memory', () => Promise.resolve(new MemoryStore()))

fleetContract('a document in memory', () => {
  const store = new MemoryStore()
  const options = { group: 'default', limits: { slots: 1, stopAfter: 1 }, clock: new FakeClock() }
  return Promise.resolve(
    (name) => new GroupFleet(store, { ...options, host: () => Promise.resolve({ name, machine: null }) }),
  )
})
