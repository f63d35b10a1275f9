import { birdBaseline } from '../bird/baseline.ts'
import type { Session } from '../bird/view.ts'
import { counted } from '../counted.ts'
import { type Rule, rulesOn } from './rule.ts'

/** BIRD can restart now without costing routes, and its baseline can be taken. */
export const birdRules: Rule[] = [
  ...rulesOn(
    ({ node }) => node,
    [
      {
        code: 'no-bird',
        severity: 'warning',
        about: 'the node runs BIRD',
        seen: ({ backend }) => `CALICO_NETWORKING_BACKEND is ${backend}`,
        check: ({ backend }) =>
          backend === 'bird'
            ? null
            : {
                message: `no BIRD runs here (CALICO_NETWORKING_BACKEND=${backend}): the new container is gated on its own health alone`,
                fix: 'nothing is to be done',
              },
      },
    ],
  ),
  ...rulesOn(
    ({ node }) =>
      node?.backend === 'bird' && node.daemons.length > 0
        ? {
            name: node.container.Name.replace(/^\//, ''),
            recovering: node.daemons.filter(({ view }) => view.recovering),
            live: node.daemons.flatMap(({ view }) => view.sessions.filter(({ established }) => established)),
            dead: node.daemons.flatMap(({ view }) => birdBaseline(view).dead),
          }
        : null,
    [
      {
        code: 'bird-recovering',
        severity: 'error',
        allowable: true,
        about: 'no graceful-restart recovery is in progress',
        seen: () => 'no recovery in progress',
        check: ({ name, recovering }) =>
          recovering.map(() => ({
            message:
              "cannot restart BIRD now: its graceful-restart recovery is in progress, and a second restart makes the peers delete this host's routes",
            fix: `run again when "docker exec ${name} birdcl show status" tells of no recovery`,
          })),
      },
      {
        code: 'peer-not-restart-aware',
        severity: 'error',
        allowable: true,
        about: 'each live peer keeps the routes while BIRD is away',
        seen: ({ live }) =>
          live.length === 0
            ? 'no peer is up'
            : `${counted(live.length, 'live peer')}, each announces graceful restart`,
        check: ({ live }) =>
          live.filter(dropsRoutes).map((peer) => ({
            message: `cannot keep the routes at ${peer.name}: that peer does not announce graceful restart`,
            fix: 'add "graceful restart;" to the BGP protocol of that peer',
          })),
      },
      {
        code: 'peer-down',
        severity: 'warning',
        about: 'each peer is up',
        seen: ({ live }) => `${counted(live.length, 'session')} Established, none is down`,
        check: ({ name, dead }) =>
          dead.map((peer) => ({
            message: `peer ${peer} is down already: it is released if it alone holds BIRD's recovery back`,
            fix: `docker exec ${name} birdcl show protocols all ${peer}`,
          })),
      },
    ],
  ),
  // What stood in the way of a look at BIRD was found while looking.
  ...rulesOn(
    ({ node, problems }) => (node?.backend === 'bird' ? { daemons: node.daemons, problems } : null),
    [
      {
        code: 'bird-socket-invalid',
        severity: 'error',
        about: 'the configured control sockets are sockets',
        seen: ({ daemons }) => daemons.map(({ endpoint }) => endpoint.socket).join(', ') || 'none in use',
        check: ({ problems }) => problems.filter(({ code }) => code === 'bird-socket-invalid'),
      },
      {
        code: 'bird-down',
        severity: 'error',
        allowable: true,
        about: 'BIRD answers: the new one is held against its sessions',
        seen: ({ daemons }) =>
          daemons.map(({ endpoint: { family } }) => `IPv${family} answers`).join(', ') ||
          'not asked: the container does not run',
        check: ({ problems }) => problems.filter(({ code }) => code === 'bird-down'),
      },
    ],
  ),
]

/** Known of an Established peer only. */
function dropsRoutes({ restartAware }: Session): boolean {
  return !restartAware
}
