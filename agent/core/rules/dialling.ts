import semver from 'semver'
import { type DiallingNeighbor, diallingNeighbors } from '../bird/dialling.ts'
import { counted } from '../counted.ts'
import type { ObservedDaemon, ObservedNode } from '../model.ts'
import { runningVersion } from '../release/node-versions.ts'
import { type Rule, rulesOn } from './rule.ts'

/** From here on, the mesh's template makes the lower address wait (`passive on`, projectcalico/node 1183be5). */
const ONE_WAY_SINCE = '3.4.0'
/** A large mesh is not listed whole. */
const NAMED = 5

/** One end of each session dials. */
export const diallingRules: Rule[] = rulesOn(
  ({ node }) =>
    node?.backend === 'bird' && node.daemons.length > 0
      ? { both: node.daemons.flatMap((daemon) => dialledByBoth(daemon, node)) }
      : null,
  [
    {
      code: 'both-dial',
      severity: 'warning',
      about: 'only one end of each session dials',
      seen: () => 'no session is dialled from both ends',
      check: ({ both }) =>
        both.length === 0
          ? null
          : {
              message: `${named(both)} and this host dial each other: when BIRD restarts, the connections can collide, and the peer then deletes this host's routes. During an upgrade the agent blocks ${both.length === 1 ? 'its' : 'their'} connections until BIRD is back`,
              fix: 'nothing to do for an upgrade; for every other restart, set "passive on;" at one end of each session, as the mesh does since Calico v3.4',
            },
    },
  ],
)

/** In a one-way mesh, the other end waits if this one does not. */
function dialledByBoth(daemon: ObservedDaemon, node: ObservedNode): DiallingNeighbor[] {
  const version = runningVersion(node)
  const oneWay =
    daemon.neighbors.some(({ name, passive }) => isMesh(name) && passive) ||
    (version !== null && semver.gte(version, ONE_WAY_SINCE))
  return diallingNeighbors(daemon).filter(({ name }) => !(oneWay && isMesh(name)))
}

function isMesh(name: string): boolean {
  return name.startsWith('Mesh_')
}

function named(neighbors: DiallingNeighbor[]): string {
  const names = neighbors.slice(0, NAMED).map(({ name }) => name)
  const more = neighbors.length - names.length
  return more === 0 ? names.join(', ') : `${names.join(', ')}, and ${counted(more, 'more neighbor')}`
}
