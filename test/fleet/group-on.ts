import { createClock } from '../../agent/adapters/clock.ts'
import { createFleetLock } from '../../agent/adapters/fleet/fleetlock.ts'
import { GroupFleet } from '../../agent/adapters/fleet/group-fleet.ts'
import type { Limits } from '../../agent/core/fleet/group.ts'
import type { Fleet } from '../../agent/ports/fleet.ts'
import type { FleetStore } from '../../agent/ports/fleet-store.ts'

/** A host of a group on a store. */
export function hostOn(store: FleetStore, name: string, limits: Partial<Limits> = {}): GroupFleet {
  return new GroupFleet(store, {
    group: 'default',
    limits: { slots: 1, stopAfter: 1, ...limits },
    clock: createClock(),
    host: () => Promise.resolve({ name, machine: null }),
  })
}

/** A host of a group on a FleetLock server. */
export function hostAt(url: string, name: string): Fleet {
  return createFleetLock({ url }, { group: 'default', host: () => Promise.resolve(name) })
}
