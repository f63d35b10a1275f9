import type { ObservedDatastore } from '../datastore/observed.ts'
import { type Objection, type Rule, rulesOn } from './rule.ts'

interface Subject {
  name: string
  datastore: ObservedDatastore
}

/** calico/node waits for its datastore at each start, for ever, and starts no BIRD before: the old image does as well. */
export const datastoreRules: Rule[] = rulesOn(
  ({ node }) =>
    node?.datastore ? { name: node.container.Name.replace(/^\//, ''), datastore: node.datastore } : null,
  [
    {
      code: 'datastore-unreachable',
      severity: 'error',
      allowable: true,
      about: 'the datastore answers',
      seen: ({ datastore: { by, endpoints } }) => `${endpoints.map(({ shown }) => shown).join(', ')} (${by})`,
      check: datastoreObjections,
    },
  ],
)

const NAMES = { etcd: 'etcd', kubernetes: 'the Kubernetes API server' } as const
const HEALTH = { etcd: 'health', kubernetes: 'healthz' } as const

/** One of several is enough: etcd's client takes the next one. */
function datastoreObjections({ name, datastore: { kind, by, endpoints } }: Subject): Objection[] {
  const away = endpoints.filter(({ failure }) => failure !== null)
  const [first] = away
  if (!first) return []
  const why = away.map(({ shown, failure }) => `${shown}: ${failure ?? ''}`).join('; ')
  // what begins so is an SRV record
  const ask = first.shown.startsWith('_')
    ? `dig SRV ${first.shown}`
    : `curl -k ${first.shown}/${HEALTH[kind]}`
  const fix = `${ask} shows whether it answers; bring it back, or correct its address (${by})`
  if (away.length < endpoints.length) {
    const message = `${NAMES[kind]} does not answer at ${away.length} of ${endpoints.length} endpoints (${why}); ${name} uses the others`
    return [{ severity: 'warning', message, fix }]
  }
  const message = `cannot restart ${name}: ${NAMES[kind]} does not answer (${why}), and calico/node does not start without it`
  return [{ message, fix }]
}
