import type { BirdEndpoint, Session } from '../bird/view.ts'
import { ASSUMED_ROLLBACK_MS } from '../bird/window.ts'
import { counted } from '../counted.ts'
import type { ObservedNode } from '../model.ts'
import { commandIn } from '../pod/command-in.ts'
import { type Objection, type Rule, rulesOn } from './rule.ts'

/**
 * Sessions are back after 4 to 5 s, rarely 18 s, in an upgrade and again in a rollback. The shortest useful window fits
 * two usual starts, or one slow one.
 */
const SHORTEST_WINDOW_MS = ASSUMED_ROLLBACK_MS

/** BIRD can restart now without costing routes, and its baseline can be taken. */
export const birdRules: Rule[] = [
  ...rulesOn(
    ({ node }) => node,
    [
      {
        code: 'no-bird',
        severity: 'warning',
        about: 'the node runs BIRD',
        seen: ({ backend }) => `CALICO_NETWORKING_BACKEND=${backend}`,
        check: ({ backend }) =>
          backend === 'bird'
            ? null
            : {
                message: `no BIRD runs here (CALICO_NETWORKING_BACKEND=${backend}): the gate checks only the new container's own health`,
                fix: 'nothing to do',
              },
      },
    ],
  ),
  ...rulesOn(
    ({ node }) =>
      node?.backend === 'bird' && node.daemons.length > 0
        ? { container: node.container, daemons: node.daemons, ...peersOf(node) }
        : null,
    [
      {
        code: 'bird-recovering',
        severity: 'error',
        allowable: true,
        about: 'no graceful-restart recovery is in progress',
        seen: ({ daemons }) =>
          daemons
            .map(({ endpoint: { family }, view }) => `IPv${family} up since ${view.lastReboot}`)
            .join(', '),
        check: ({ container, daemons }) =>
          daemons
            .filter(({ view }) => view.recovering)
            .map(({ endpoint: { family }, view: { lastReboot, waitTimer } }) => ({
              message: `cannot restart BIRD now: the IPv${family} daemon started at ${lastReboot}, and its graceful-restart recovery is in progress${timerText(waitTimer)}; a second restart makes the peers delete this host's routes`,
              fix: `run again when "${commandIn(container, `${birdcl(family)} show status`)}" no longer reports a recovery`,
            })),
      },
      {
        code: 'peer-restarting',
        severity: 'error',
        allowable: true,
        deferrable: true,
        about: 'no peer is in a graceful restart',
        seen: ({ live, dead }) => `${counted(live.length + dead.length, 'peer')} checked`,
        check: ({ container, restarting }) =>
          restarting.map((peer) => ({
            subject: peer.name,
            message: `cannot restart BIRD now: peer ${peer.name} is in a graceful restart${leftText(peer)}; two neighbors that restart together drop each other's routes`,
            fix: `run again when its session is back: ${commandIn(container, showPeer(peer))}`,
          })),
      },
      {
        code: 'peer-not-restart-aware',
        severity: 'error',
        allowable: true,
        about: 'every peer that is up keeps the routes while BIRD restarts',
        seen: ({ live }) =>
          live.length === 0 ? 'no peer is up' : `${counted(live.length, 'peer')} with graceful restart`,
        check: ({ live }) =>
          live.filter(dropsRoutes).map((peer) => ({
            subject: peer.name,
            message: `cannot keep the routes at ${peer.name}: this peer does not announce graceful restart`,
            fix: 'add "graceful restart;" to the BGP protocol of that peer',
          })),
      },
      {
        code: 'peer-down',
        severity: 'warning',
        about: 'every peer is up',
        seen: ({ live }) => `${counted(live.length, 'session')} Established`,
        check: ({ container, dead }) =>
          dead.map((peer) => ({
            subject: peer.name,
            message: `peer ${peer.name} is already down: the agent releases it if only it delays BIRD's recovery`,
            fix: commandIn(container, showPeer(peer)),
          })),
      },
    ],
  ),
  ...rulesOn(
    ({ node }, { windowMs }) =>
      node?.backend === 'bird' && node.daemons.length > 0 ? { node, windowMs } : null,
    [
      {
        code: 'window-too-short',
        severity: 'error',
        allowable: true,
        about: 'the window is long enough for an upgrade and a rollback',
        seen: ({ node, windowMs }) => `${Math.min(node.announcedMs, windowMs) / 1000} s`,
        check: ({ node, windowMs }) => [
          ...tooShort(
            node.announcedMs,
            'the restart time that BIRD announces',
            'set "graceful restart time 120;" in the BGP template of bird.cfg, and of bird6.cfg if you use IPv6',
          ),
          ...tooShort(windowMs, 'window in the config', 'set window to 90, or remove it'),
        ],
      },
    ],
  ),
  // What prevented a look at BIRD was found while looking.
  ...rulesOn(
    ({ node, problems }) => (node?.backend === 'bird' ? { daemons: node.daemons, problems } : null),
    [
      {
        code: 'bird-socket-invalid',
        severity: 'error',
        about: "BIRD's control sockets are in place",
        seen: ({ daemons }) => daemons.map(({ endpoint }) => endpoint.socket).join(', ') || 'none in use',
        check: ({ problems }) => problems.filter(({ code }) => code === 'bird-socket-invalid'),
      },
      {
        code: 'bird-down',
        severity: 'error',
        allowable: true,
        about: ({ daemons }) => (daemons.length === 0 ? 'BIRD is not expected to answer' : 'BIRD answers'),
        seen: ({ daemons }) =>
          daemons.map(({ endpoint: { family } }) => `IPv${family}`).join(', ') ||
          'the container is not running',
        check: ({ problems }) => problems.filter(({ code }) => code === 'bird-down'),
      },
    ],
  ),
]

function tooShort(ms: number, what: string, fix: string): Objection[] {
  if (ms >= SHORTEST_WINDOW_MS) return []
  const message = `cannot restart BIRD within ${ms / 1000} s (${what}): an upgrade with its rollback takes ${SHORTEST_WINDOW_MS / 1000} s`
  return [{ message, fix }]
}

type Peer = Session & Pick<BirdEndpoint, 'family'>

function peersOf({ daemons }: ObservedNode): Record<'live' | 'restarting' | 'dead', Peer[]> {
  const sessions = daemons.flatMap(({ endpoint: { family }, view }) =>
    view.sessions.map((session) => ({ ...session, family })),
  )
  const away = sessions.filter(({ established, disabled }) => !established && !disabled)
  return {
    live: sessions.filter(({ established }) => established),
    restarting: away.filter(({ restarting }) => restarting !== null),
    dead: away.filter(({ restarting }) => restarting === null),
  }
}

/** One client for both daemons, chosen by the socket in the container. */
function showPeer({ family, name }: { family: 4 | 6; name: string }): string {
  return `${birdcl(family)} show protocols all ${name}`
}

function birdcl(family: 4 | 6): string {
  return family === 4 ? 'birdcl' : 'birdcl -s /var/run/calico/bird6.ctl'
}

function timerText(waitTimer: string | null): string {
  return waitTimer === null ? '' : ` (wait timer ${waitTimer} s)`
}

/** How long BIRD keeps the peer's routes. */
function leftText({ restarting }: Session): string {
  const seconds = restarting?.secondsLeft ?? null
  return seconds === null ? '' : `, for at most ${seconds} s more`
}

/** Known only for an Established peer. */
function dropsRoutes({ restartAware }: Session): boolean {
  return !restartAware
}
