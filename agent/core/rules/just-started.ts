import { isYoung } from '../docker/up-time.ts'
import { type Rule, rulesOn } from './rule.ts'

/** Real calico/node has its BIRD up 2.4 to 4.5 s after its start; a slow datastore adds to that. */
const UP_MS = 30_000

/** A node that has just started: what its BIRD does not do yet, it will do in a moment. */
export const justStartedRules: Rule[] = rulesOn(
  ({ node }) =>
    node?.backend === 'bird' && node.upMs !== null
      ? {
          name: node.container.Name.replace(/^\//, ''),
          upMs: node.upMs,
          isUp: node.daemons.length > 0,
          recovers: node.daemons.some(({ view }) => view.recovering),
        }
      : null,
  [
    {
      code: 'just-started',
      severity: 'warning',
      about: 'BIRD has had time to start and to recover',
      seen: ({ upMs }) => (isYoung(upMs) ? `started ${wholeSeconds(upMs)} ago` : 'started long ago'),
      check: ({ name, upMs, isUp, recovers }) =>
        (isUp ? recovers && isYoung(upMs) : upMs < UP_MS)
          ? {
              message: `${name} started ${wholeSeconds(upMs)} ago, and its BIRD ${isUp ? 'is still in the recovery from that start' : 'does not answer yet'}`,
              fix: isUp ? 'run again in a minute' : 'run again in 10 s',
            }
          : null,
    },
  ],
)

function wholeSeconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`
}
