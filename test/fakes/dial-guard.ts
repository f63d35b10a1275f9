import type { DialGuard, GuardedNeighbor } from '../../agent/ports/dial-guard.ts'

/** Remembers who is kept out. */
export class FakeDialGuard implements DialGuard {
  readonly closed = new Set<string>()

  check(): Promise<void> {
    return Promise.resolve()
  }

  close(neighbors: readonly GuardedNeighbor[]): Promise<void> {
    for (const { address } of neighbors) this.closed.add(address)
    return Promise.resolve()
  }

  open(addresses: readonly string[] = [...this.closed]): Promise<void> {
    for (const address of addresses) this.closed.delete(address)
    return Promise.resolve()
  }
}
