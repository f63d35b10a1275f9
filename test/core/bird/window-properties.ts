import { END_OF_RIB_MS, UNHEALTHY_LIMIT_MS, UNSETTLED_LIMIT_MS } from '../../../agent/core/bird/window.ts'
import { baselines, type Daemon, type Policy, simulate, type Tick, type World } from './window-world.ts'

/** Longer than any world: five recoveries that wait their full time, and what may come and go after one. */
const LIMIT_MS = 2_500_000

interface Look {
  tick: Tick
  /** The whole way; a tick that decides is its last. */
  ticks: Tick[]
  world: World
}

/** What must hold of every look at every world. */
const properties: Record<string, (look: Look) => boolean> = {
  'never restarts in the middle of a recovery of any daemon': ({ tick: { truth, verdict, seen } }) =>
    !(verdict.do === 'roll-back' && seen && truth.running) ||
    truth.standings.every(({ phase }) => phase !== 'recovering'),

  'never restarts before the peers have read End-of-RIB': ({ tick, ticks }) =>
    !(tick.verdict.do === 'roll-back' && tick.truth.running && tick.state.phase === 'recovered') ||
    tick.at - since(ticks, ({ state }) => state.phase === 'recovered') >= END_OF_RIB_MS,

  'starts the way back while its reserve is left, unless a recovery forbids it': ({ tick, world }) =>
    tick.verdict.do !== 'wait' ||
    tick.state.recoveredForMs !== null ||
    tick.state.phase === 'recovering' ||
    tick.state.endOfRibPending ||
    tick.at < world.budgetMs - world.reserveMs,

  'starts the way back in time wherever no session is Established': ({ tick, world }) =>
    tick.verdict.do !== 'wait' ||
    !tick.seen ||
    tick.state.recoveredForMs !== null ||
    tick.state.endOfRibPending ||
    !['down', 'starting'].includes(tick.truth.phase) ||
    tick.at < world.budgetMs - world.reserveMs,

  'keeps only what passed without a break': ({ tick, ticks, world }) =>
    tick.verdict.do !== 'succeed' ||
    tick.at - since(ticks, ({ state }) => state.passedForMs !== null) >= world.settleMs,

  'keeps only what runs and has recovered': ({ tick: { state, truth, seen, verdict } }) =>
    verdict.do !== 'succeed' ||
    (state.container === 'running' && (!seen || ['none', 'recovered'].includes(truth.phase))),

  'keeps only what has every live peer of the baseline, with routes': ({ tick: { truth, seen, verdict } }) =>
    verdict.do !== 'succeed' || !seen || truth.standings.every(({ missing }) => missing.length === 0),

  'keeps no BIRD that died with a session up, however short it was away': ({ tick, ticks, world }) =>
    tick.verdict.do !== 'succeed' || !world.daemons.some((daemon) => diedWithSession(daemon, ticks)),

  'never keeps what somebody cancelled': ({ tick, world }) =>
    tick.verdict.do !== 'succeed' || tick.at < world.cancelledAt,

  'releases only peers that were dead before': ({ tick: { verdict }, world }) =>
    verdict.do !== 'release' ||
    (verdict.peers.length > 0 &&
      verdict.peers.every((peer) => baselines(world).some(({ dead }) => dead.includes(peer)))),

  'gives up at once a container that has exited': ({ tick: { state, verdict } }) =>
    state.container !== 'exited' || verdict.do === 'roll-back',

  'gives up early only for a reason': ({ tick: { at, state, verdict }, world }) =>
    verdict.do !== 'roll-back' ||
    state.container === 'exited' ||
    state.cancelled ||
    state.birdRestarted ||
    (state.failingForMs ?? 0) >= UNHEALTHY_LIMIT_MS ||
    at >= world.budgetMs - world.reserveMs,

  'gives up what recovered only for a failure that lasts': ({ tick: { state, verdict }, world }) =>
    verdict.do !== 'roll-back' ||
    state.recoveredForMs === null ||
    state.container === 'exited' ||
    state.cancelled ||
    state.birdRestarted ||
    (state.failingForMs ?? 0) >= UNHEALTHY_LIMIT_MS ||
    state.recoveredForMs >= world.settleMs + UNSETTLED_LIMIT_MS,

  'decides within the budget and a stated time after the last recovery': ({ tick, ticks, world }) =>
    tick.verdict.do !== 'wait' || tick.at < lastRecovery(ticks, tick, world) + decisionBound(world),

  'comes to an end': ({ tick: { at, verdict }, world }) =>
    at + world.pollMs <= LIMIT_MS || verdict.do === 'succeed' || verdict.do === 'roll-back',
}

/** A look saw a session of a life that ended before the last look. */
function diedWithSession({ lives, silent, flaps, livePeers }: Daemon, ticks: Tick[]): boolean {
  if (livePeers === 0 || silent.length > 0 || flaps.length > 0) return false
  let begin = 0
  return lives.some(({ sessionsAfter, diesAfter }) => {
    const [from, to] = [begin + sessionsAfter, begin + diesAfter]
    begin = to
    return ticks.some(({ at }) => at >= from && at < to) && ticks.some(({ at }) => at > to)
  })
}

/** When the budget was over, or the last recovery, whichever is later. */
function lastRecovery(ticks: Tick[], { at }: Tick, { budgetMs }: World): number {
  const last = ticks.findLast((tick) => tick.at <= at && tick.state.phase === 'recovering')
  return Math.max(budgetMs, last?.at ?? 0)
}

/** What may still come and go after it, and the last try to settle. */
function decisionBound({ settleMs, pollMs }: World): number {
  return END_OF_RIB_MS + 2 * settleMs + UNSETTLED_LIMIT_MS + 2 * pollMs
}

/** The time from which a condition held without a break up to the last tick. */
function since(ticks: Tick[], holds: (tick: Tick) => boolean): number {
  const broken = ticks.findLastIndex((tick) => !holds(tick))
  return ticks[broken + 1]?.at ?? Infinity
}

/** The names of the properties that the policy breaks in this world. */
export function brokenBy(policy: Policy, world: World): string[] {
  const ticks = simulate(policy, world, LIMIT_MS)
  return Object.keys(properties).filter((name) =>
    ticks.some((tick) => properties[name]?.({ tick, ticks, world }) === false),
  )
}
