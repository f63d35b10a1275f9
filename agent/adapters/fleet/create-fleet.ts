import type { HostIdentity } from '../../core/host-identity.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Fleet } from '../../ports/fleet.ts'
import type { Kubernetes, Watches } from '../../ports/kubernetes.ts'
import type { EtcdConfig } from './etcd/credential.ts'
import { createEtcdStore } from './etcd/store.ts'
import { createFleetLock, type FleetLockConfig } from './fleetlock.ts'
import { GroupFleet } from './group-fleet.ts'
import { createLeaseStore } from './leases.ts'

/** `fleet` of the config, with one of the engines. */
interface FleetConfig {
  group: string
  slots?: number | undefined
  stopAfter?: number | undefined
  etcd?: EtcdConfig | undefined
  kubernetes?: { namespace: string } | undefined
  fleetlock?: FleetLockConfig | undefined
}

interface FleetParts {
  kubernetes: (Kubernetes & Watches) | null
  clock: Pick<Clock, 'date'>
  /** This host, as its group calls it. */
  host: () => Promise<HostIdentity>
}

export function createFleet(config: FleetConfig, { kubernetes, clock, host }: FleetParts): Fleet | null {
  const { group, slots = 1, stopAfter = 1, etcd, fleetlock } = config
  if (fleetlock) return createFleetLock(fleetlock, { group, host: async () => (await host()).name })
  const leases =
    config.kubernetes && kubernetes && createLeaseStore(kubernetes, { ...config.kubernetes, group })
  const store = leases ?? (etcd && createEtcdStore(etcd, group))
  return store ? new GroupFleet(store, { group, limits: { slots, stopAfter }, clock, host }) : null
}
