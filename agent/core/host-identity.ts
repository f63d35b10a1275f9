/** What distinguishes this host from one whose disk or backup its state directory may come from. */
export interface HostIdentity {
  /** Derived from machine-id(5), not reversible; null if the host has none. */
  machine: string | null
  name: string
}

/** Neither alone is enough: a host may be renamed, and with a read-only root each boot creates another machine-id. */
export function isAnotherHost(one: HostIdentity | null, other: HostIdentity | null): boolean {
  if (!one?.machine || !other?.machine) return false
  return one.machine !== other.machine && one.name !== other.name
}
