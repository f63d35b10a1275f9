import { unlessConflict } from '../../core/kubernetes/conflict.ts'
import { giveBackPatch, newLease, takePatch } from '../../core/kubernetes/lease.ts'
import type { Namespaced } from '../../core/kubernetes/object.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Fleet } from '../../ports/fleet.ts'
import type { Kubernetes } from '../../ports/kubernetes.ts'

interface LeaseParts {
  kubernetes: Kubernetes
  clock: Pick<Clock, 'date'>
  /** This host's name in the fleet. */
  host: () => Promise<string>
}

/** One Lease for all hosts: its holder is the host whose turn it is. */
export function createLease(name: Namespaced, { kubernetes, clock, host: thisHost }: LeaseParts): Fleet {
  const ref = { kind: 'Lease', ...name } as const
  return {
    async take(turn) {
      const host = await thisHost()
      await unlessConflict(async () => {
        const asking = { host, ...turn, now: clock.date() }
        const lease = await kubernetes.get(ref)
        if (lease === null) await kubernetes.create(ref, newLease(name, asking))
        else await kubernetes.patch(ref, takePatch(lease, asking))
      })
    },
    async giveBack(end) {
      const host = await thisHost()
      await unlessConflict(async () => {
        const lease = await kubernetes.get(ref)
        const patch = lease && giveBackPatch(lease, host, end)
        if (patch !== null) await kubernetes.patch(ref, patch)
      })
    },
    async held() {
      const lease = await kubernetes.get(ref)
      return lease?.spec?.holderIdentity === (await thisHost()) ? name : null
    },
  }
}
