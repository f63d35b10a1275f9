/** What tells this host from the one whose disk or backup its state directory may be a copy of. */
export interface HostIdentity {
  /** From machine-id(5), not to be traced back; null where the host has none. */
  machine: string | null
  name: string
}

/** Neither alone: a host may be renamed, and where its root is read-only each boot makes another machine-id. */
export function isAnotherHost(one: HostIdentity | null, other: HostIdentity | null): boolean {
  if (!one?.machine || !other?.machine) return false
  return one.machine !== other.machine && one.name !== other.name
}
