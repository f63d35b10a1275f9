import { deletion, nameOf } from '../../kubernetes/lease.ts'
import type { Namespaced } from '../../kubernetes/object.ts'

/** The other hosts wait for it, and this one gives it back by itself only once it knows that all is well here. */
export function leaseLine(lease: Namespaced): string {
  return `once the host is settled: agent upgrade gives ${nameOf(lease)} back, even if nothing is left to change; to let the other hosts go on at once: ${deletion(lease)}`
}
