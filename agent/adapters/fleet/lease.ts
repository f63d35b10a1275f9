import { AgentError } from '../../core/errors.ts'
import type { Namespaced } from '../../core/kubernetes/daemon-set.ts'
import { giveBackPatch, newLease, takePatch } from '../../core/kubernetes/lease.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Fleet } from '../../ports/fleet.ts'
import type { Kubernetes } from '../../ports/kubernetes.ts'

/** Of a hundred hosts that ask in the same moment one has it after each round, and the others are told so. */
const MAX_CONFLICTS = 10

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

/** Decides anew by the Lease as it is then, where somebody else was faster. */
async function unlessConflict(work: () => Promise<void>): Promise<void> {
  for (let conflicts = 0; ; conflicts++) {
    try {
      await work()
      return
    } catch (error) {
      const isConflict = error instanceof AgentError && error.code === 'kubernetes-conflict'
      if (!isConflict || conflicts >= MAX_CONFLICTS) throw error
    }
  }
}
