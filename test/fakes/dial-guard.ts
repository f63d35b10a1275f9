import type { DialGuard, GuardedNeighbor } from '../../agent/ports/dial-guard.ts'

/** Remembers who is kept out. */
export class FakeDialGuard implements DialGuard {
  readonly closed = new Set<string>()
  /** What changed, in its order: `close ADDRESS`, `open ADDRESS`. */
  readonly ops: string[]

  /** `ops` may be shared by all fakes of a test. */
  constructor(ops: string[] = []) {
    this.ops = ops
  }

  check(): Promise<void> {
    return Promise.resolve()
  }

  close(neighbors: readonly GuardedNeighbor[]): Promise<void> {
    for (const { address } of neighbors) {
      if (!this.closed.has(address)) this.ops.push(`close ${address}`)
      this.closed.add(address)
    }
    return Promise.resolve()
  }

  open(addresses: readonly string[] = [...this.closed]): Promise<string[]> {
    const opened = addresses.filter((address) => this.closed.delete(address))
    this.ops.push(...opened.map((address) => `open ${address}`))
    return Promise.resolve(opened)
  }
}
