import { createLeaseStore } from '../../agent/adapters/fleet/leases.ts'
import { createKubernetes } from '../../agent/adapters/kubernetes/kubernetes.ts'
import type { Snapshot } from '../../agent/ports/fleet-store.ts'
import { byWatch, holdersIn, rollOut } from './fleet-rollout.ts'

/** The hosts of a rollout on Leases: a program of its own, as it runs in the API server's network. */
const [kubeconfig = '', namespace = '', hosts, slots] = process.argv.slice(2)
const kubernetes = createKubernetes({ kubeconfig, inCluster: false, node: 'auto' })
const store = () => createLeaseStore(kubernetes, { namespace, group: 'bench' })
const end = new AbortController()
const began = Promise.withResolvers<undefined>()
const most = mostSeen(store().watch(end.signal))
await Promise.race([began.promise, most])
const rollout = await rollOut(store, Number(hosts), Number(slots), byWatch)
end.abort()
process.stdout.write(JSON.stringify({ ...rollout, mostByRevisions: await most }))

/** The API server keeps its old revisions for five minutes: a watch has to be there from the beginning to the end. */
async function mostSeen(snapshots: AsyncIterable<Snapshot>): Promise<number> {
  let most = 0
  try {
    for await (const { text } of snapshots) {
      began.resolve(undefined)
      if (text !== null) most = Math.max(most, holdersIn(text))
    }
  } catch (error) {
    if (!end.signal.aborted) throw error
  }
  if (!end.signal.aborted) throw new Error('the watch ended before the rollout')
  return most
}
