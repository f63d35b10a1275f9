import { flaps } from '../../core/bird/daemon.ts'
import type { TrialState } from '../../core/bird/trial.ts'
import { type RollbackReason, UNHEALTHY_LIMIT_MS } from '../../core/bird/window.ts'
import { counted } from '../../core/counted.ts'
import type { Problem } from '../../core/errors.ts'

interface Moment {
  exitCode: number | null
  sinceGoneMs: number
}

/** Why a container on trial is not kept; completes "cannot keep the new container: ...". */
export function whyGivenUp(
  reason: RollbackReason,
  state: TrialState,
  { exitCode, sinceGoneMs }: Moment,
): string {
  const { budgetMs } = state.terms
  switch (reason) {
    case 'exited':
      return exitCode === null ? 'it was removed by another process' : exitText(exitCode)
    case 'cancelled':
      return 'the run was stopped'
    case 'bird-restarted':
      return state.daemons.some(({ fallsAfterSessions }) => fallsAfterSessions > 0)
        ? 'BIRD died in it after a session was up'
        : 'BIRD keeps dying in it'
    case 'felix-restarted':
      return 'Felix keeps dying in it'
    case 'peers-forgotten':
      return 'its BIRD is configured without the peers of the old one'
    case 'out-of-time':
      return `not recovered after ${wholeSeconds(sinceGoneMs)} of a window of ${wholeSeconds(budgetMs)}`
    case 'unhealthy':
      return whyUnhealthy(state, sinceGoneMs)
  }
}

/** Without Docker, the kubelet tells the code, or does not in time: -1. */
function exitText(exitCode: number): string {
  return exitCode < 0 ? 'it exited, and its exit code is not known' : `it exited with code ${exitCode}`
}

function whyUnhealthy({ terms, failingAt }: TrialState, sinceGoneMs: number): string {
  const now = terms.goneAt + sinceGoneMs
  return failingAt !== null && now - failingAt >= UNHEALTHY_LIMIT_MS
    ? `it recovered, then was unhealthy for ${wholeSeconds(now - failingAt)}`
    : `it recovered, but did not settle within ${wholeSeconds(sinceGoneMs)}`
}

function wholeSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(0)} s`
}

/** Warnings about a container that is kept. */
export function trialProblems(state: TrialState): Problem[] {
  const missing = state.daemons.flatMap(({ standing }) => standing.missing)
  return [
    ...missing
      .filter(({ neighbor }) => state.gonePeers.includes(neighbor))
      .map(({ neighbor }) => peerLost(neighbor, state.terms.isOld)),
    ...state.daemons.flatMap(({ standing }) => standing.fewer).map(routesFewer),
    ...state.daemons.flatMap(flaps).map(sessionFlapped),
  ]
}

function peerLost(neighbor: string, isOld: boolean): Problem {
  const why = isOld ? 'its host is unreachable, or no BIRD listens there' : 'its host is unreachable'
  return {
    code: 'peer-lost',
    severity: 'warning',
    message: `peer ${neighbor} went down during the run: ${why}`,
    fix: `check host ${neighbor}; its session comes back by itself`,
  }
}

function routesFewer({ name, before, now }: { name: string; before: number; now: number }): Problem {
  return {
    code: 'routes-fewer',
    severity: 'warning',
    message: `session ${name} has ${counted(now, 'route')}, down from ${before} before`,
    fix: 'pods come and go; if none went, check that peer: birdcl show protocols all',
  }
}

function sessionFlapped({ name, awayMs }: { name: string; awayMs: number }): Problem {
  const seconds = (awayMs / 1000).toFixed(1)
  return {
    code: 'session-flapped',
    severity: 'warning',
    message: `session ${name} came back, went down and came back again: that peer was without this host's routes for up to ${seconds} s`,
    fix: "check BIRD's log on that peer; calico-agent doctor shows whether both ends dial",
  }
}

/** Of a peer that was released for the recovery and could not be enabled again. */
export function leftDisabled(name: string): Problem {
  return {
    code: 'peer-left-disabled',
    severity: 'warning',
    message: `peer ${name} is still disabled: BIRD did not accept the command to enable it`,
    fix: `run birdcl enable ${name} in the calico/node container`,
  }
}
