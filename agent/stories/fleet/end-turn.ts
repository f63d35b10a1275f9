import { AgentError, type Problem } from '../../core/errors.ts'
import type { TurnEnd } from '../../core/fleet/group.ts'
import type { Report } from '../../core/report/report.ts'
import type { Wanted } from '../../core/wanted.ts'
import type { RunState } from '../../journal/run-state.ts'
import type { RunStore } from '../../journal/store.ts'
import type { Fleet } from '../../ports/fleet.ts'
import { type App, isUnfinished } from '../app.ts'
import { concerns, heldTarget, targetOf } from '../held-target.ts'

/** The report, with what the end of the turn has to say. */
export async function withTurnEnded(app: App, wanted: Wanted, report: Report): Promise<Report> {
  return { ...report, problems: [...report.problems, ...(await endTurn(app, wanted))] }
}

/**
 * Gives back the slot of this host, if it has one. A run that is open or stuck keeps it, as its host may need more. The
 * engine may be away: that undoes nothing, and is tried again later.
 */
export async function endTurn({ fleet, runs }: App, wanted: Wanted): Promise<Problem[]> {
  if (fleet === null) return []
  const history = await moves(runs)
  const [last] = history
  if (last && isUnfinished(last)) return []
  return await orPending(async () => {
    if (last?.outcome === 'stuck') return await keptBy(`run ${last.plan.run} is stuck`, fleet)
    if (await fleet.giveBack(endOf(history, wanted))) return []
    return await keptBy(`run ${last?.plan.run ?? ''} failed`, fleet)
  })
}

/** The host of a stuck run is as asked: it was settled by hand, and the others need not wait for it. */
export async function giveBackSettled({ fleet, runs }: App): Promise<Problem[]> {
  if (fleet === null || (await moves(runs))[0]?.outcome !== 'stuck') return []
  return await orPending(async () => {
    await fleet.giveBack('untouched')
    return []
  })
}

/** The runs that had a turn, or that say something about the host; newest first. */
export async function moves(runs: RunStore): Promise<RunState[]> {
  return (await runs.history()).filter(({ plan }) => plan.command !== 'prefetch')
}

/** What the engine is still owed where it is away. */
export async function orPending(act: () => Promise<Problem[]>): Promise<Problem[]> {
  try {
    return await act()
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
    return [pending(error)]
  }
}

/** The target is judged as the service does, which does not try one again that has failed. */
function endOf(history: RunState[], wanted: Wanted): TurnEnd {
  const target = targetOf(wanted)
  const held = heldTarget(history, target)
  if (held) return { run: held.run ?? '', reason: held.reason }
  const [last] = history
  const isReached = last?.outcome === 'upgraded' && concerns(last.plan, target, 'to')
  return isReached ? { run: last.plan.run, reason: null } : 'untouched'
}

async function keptBy(why: string, fleet: Fleet): Promise<Problem[]> {
  if (!(await fleet.isHeld())) return []
  const host = await fleet.host()
  return [
    {
      code: 'slot-kept',
      severity: 'warning',
      message: `${why}, so ${host} keeps its slot of ${fleet.name}: the other hosts wait for it`,
      fix: `once the host is settled, calico-agent upgrade gives the slot back, even if nothing is left to change; to let the other hosts go on at once: calico-agent fleet release ${host}`,
    },
  ]
}

/** Not pending: an operator decides, and no later try does. */
export function isKept({ code }: Problem): boolean {
  return code === 'slot-kept'
}

function pending({ message }: AgentError): Problem {
  return {
    code: 'slot-pending',
    severity: 'warning',
    message: `the other hosts may still wait for this one: ${message}`,
    fix: 'the service tries again by itself; calico-agent resume does it at once',
  }
}
