import { AgentError, ExitCode } from '../../core/errors.ts'
import { type LeaseObject, leaseOf, leaseText } from '../../core/kubernetes/lease.ts'
import type { FleetStore, Snapshot } from '../../ports/fleet-store.ts'
import type { Kubernetes, Watches } from '../../ports/kubernetes.ts'

interface LeasesOptions {
  namespace: string
  group: string
}

/** On the Lease of each host. */
const GROUP_LABEL = 'calico-agent/fleet-group'

/** Somebody else was faster, also to delete it. */
const CHANGED = ['kubernetes-conflict', 'kubernetes-gone']

const nothing: Snapshot = { text: null, version: '' }

/** A Lease for the document of the group, and one for each host; versions are resource versions. */
export function createLeaseStore(
  kubernetes: Pick<Kubernetes, 'get' | 'create' | 'patch' | 'list'> & Watches,
  { namespace, group }: LeasesOptions,
): FleetStore {
  const name = `calico-agent.${group}`
  const ref = { kind: 'Lease', namespace, name } as const
  const refOf = (host: string) => ({ ...ref, name: `${name}.${host.toLowerCase()}` })
  const labels = { [GROUP_LABEL]: group }

  return {
    async read() {
      return await reached(async () => snapshotOf(await kubernetes.get(ref)))
    },
    async write(text, version, holders) {
      if (version === nothing.version)
        return await unless(['kubernetes-conflict'], () =>
          kubernetes.create(ref, leaseOf({ name }, text, holders)),
        )
      return await unless(CHANGED, () => kubernetes.patch(ref, leaseOf({ name, version }, text, holders)))
    },
    async *watch(signal) {
      const first = await reached(() => kubernetes.get(ref))
      if (first === null) yield nothing
      try {
        for await (const lease of kubernetes.watch(ref, signal)) yield snapshotOf(lease)
      } catch (error) {
        throw asFleet(error)
      }
    },
    async records() {
      const leases = await reached(() =>
        kubernetes.list({ kind: 'Lease', namespace }, `${GROUP_LABEL}=${group}`),
      )
      return new Map(
        leases.map((lease) => [lease.metadata.name.slice(name.length + 1), leaseText(lease) ?? '']),
      )
    },
    async record(host) {
      const lease = await reached(() => kubernetes.get(refOf(host)))
      return lease && leaseText(lease)
    },
    async writeRecord(host, text) {
      const one = refOf(host)
      const lease = leaseOf({ name: one.name, labels }, text)
      const isNew = await unless(['kubernetes-conflict'], () => kubernetes.create(one, lease))
      if (!isNew) await reached(() => kubernetes.patch(one, lease))
    },
  }
}

function snapshotOf(lease: LeaseObject | null): Snapshot {
  return lease === null ? nothing : { text: leaseText(lease), version: lease.metadata.resourceVersion }
}

/** False where the write fails with one of these codes. */
async function unless(codes: string[], write: () => Promise<unknown>): Promise<boolean> {
  try {
    await write()
    return true
  } catch (error) {
    if (error instanceof AgentError && codes.includes(error.code)) return false
    throw asFleet(error)
  }
}

async function reached<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw asFleet(error)
  }
}

/** Nobody starts while the API server is away, and tries again later. */
function asFleet(error: unknown): unknown {
  if (!(error instanceof AgentError) || error.code !== 'kubernetes-unreachable') return error
  return new AgentError('fleet-unreachable', error.message, {
    fix: error.fix,
    exitCode: ExitCode.deferred,
    cause: error,
    isTransient: true,
  })
}
