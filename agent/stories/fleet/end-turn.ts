import { AgentError, type Problem } from '../../core/errors.ts'
import type { TurnEnd } from '../../core/fleet/group.ts'
import type { Report } from '../../core/report/report.ts'
import { isStuck, moves, type RunState } from '../../journal/run-state.ts'
import type { Fleet } from '../../ports/fleet.ts'
import { type App, isUnfinished } from '../app.ts'
import { heldTarget, namesOf, type Target } from '../held-target.ts'

/** The report, with what the end of the turn has to say. */
export async function withTurnEnded(app: App, report: Report, isAsAsked = false): Promise<Report> {
  return { ...report, problems: [...report.problems, ...(await endTurn(app, isAsAsked))] }
}

/** Does the work of a turn and ends it, whatever comes of the work. `settles`: see `isAsAsked`. */
export async function endingTurn(
  app: App,
  work: () => Promise<Report>,
  settles: (report: Report) => boolean = () => false,
): Promise<Report> {
  try {
    const report = await work()
    return await withTurnEnded(app, report, settles(report))
  } catch (error) {
    const owed = await endTurn(app)
    if (error instanceof AgentError) error.further.push(...owed)
    throw error
  }
}

/**
 * Gives back the slot of this host, if it has one. A run that is open or stuck keeps it, as its host may need more. The
 * engine may be away: that undoes nothing, and is tried again later.
 * @param isAsAsked nothing is left to change: the host was settled by hand, and the others need not wait for it
 */
export async function endTurn({ fleet, runs }: App, isAsAsked = false): Promise<Problem[]> {
  if (fleet === null) return []
  const history = moves(await runs.history())
  const [last] = history
  if (last && isUnfinished(last)) return []
  return await orPending(async () => {
    const kept = last && isStuck(last) ? `run ${last.plan.run} is stuck` : await tell(fleet, endOf(history))
    if (kept === null) return []
    if (!isAsAsked) return await keptBy(kept, fleet)
    await fleet.giveBack('untouched')
    return []
  })
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

/** Why this host keeps its slot; null where it gave it back. */
async function tell(fleet: Fleet, end: TurnEnd): Promise<string | null> {
  const isBack = await fleet.giveBack(end)
  return isBack || end === 'untouched' ? null : `run ${end.run} failed`
}

/**
 * What the newest upgrade says of its own target: the command that ends its turn may know of another one, or of none. A
 * rollback after it takes back no failure.
 */
function endOf(history: RunState[]): TurnEnd {
  const upgrades = history.filter(({ plan }) => plan.command === 'upgrade')
  const [newest] = upgrades
  if (newest === undefined) return 'untouched'
  const { run } = newest.plan
  const held = heldTarget(upgrades, lastAsked(upgrades))
  if (held) return { run, reason: held.reason }
  return newest === history[0] && newest.outcome === 'upgraded' ? { run, reason: null } : 'untouched'
}

/** Of each component, so that a run that needed only some of them goes on with the one before. */
function lastAsked(upgrades: RunState[]): Target {
  return Object.fromEntries(upgrades.toReversed().flatMap(({ plan }) => Object.entries(namesOf(plan))))
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
