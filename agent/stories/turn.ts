import { AgentError, type Problem } from '../core/errors.ts'
import type { TurnEnd } from '../core/fleet.ts'
import { nameOf } from '../core/kubernetes/lease.ts'
import type { Namespaced } from '../core/kubernetes/object.ts'
import { leaseLine } from '../core/plan/by-hand/lease.ts'
import type { Plan, PlannedStep } from '../core/plan/plan.ts'
import type { Report } from '../core/report/report.ts'
import type { Wanted } from '../core/wanted.ts'
import type { RunState } from '../journal/run-state.ts'
import type { RunStore } from '../journal/store.ts'
import type { Docker } from '../ports/docker.ts'
import { bindStep } from '../steps/registry.ts'
import { type App, carryOut, isUnfinished } from './app.ts'
import { concerns, heldTarget, targetOf, targetText } from './held-target.ts'

/** Only what touches something that runs waits for other hosts. */
export function needsTurn({ fleet }: Pick<App, 'fleet'>, { steps }: Plan): boolean {
  return fleet !== null && steps.some((step) => bindStep(step).moves)
}

/** Pulls what the plan pulls, as a run of its own: no host waits for another one's pull. Null where all is here. */
export async function fetchAhead(app: App, plan: Plan, problems: Problem[]): Promise<Report | null> {
  const steps: PlannedStep[] = []
  for (const step of plan.steps) if (await fetches(step, app.ports.docker)) steps.push(step)
  if (steps.length === 0) return null
  return await carryOut(app, { ...plan, command: 'prefetch', run: app.newRun(), steps }, problems, [])
}

/** An image that is pulled whether it is here or not would be pulled anew at each try. */
async function fetches(step: PlannedStep, docker: Docker): Promise<boolean> {
  if (step.kind !== 'pull-image') return false
  const { image, digest } = step.args
  return digest !== undefined || (await docker.inspectImage(image)) === undefined
}

/** Takes the turn for this host, works, and gives it back. A run that is left open keeps it. */
export async function inTurn(
  app: App,
  wanted: Wanted,
  work: (run: string) => Promise<Report>,
): Promise<Report> {
  const run = app.newRun()
  try {
    await app.fleet?.take({ run, target: targetText(targetOf(wanted)) ?? '' })
    return await withTurnEnded(app, wanted, await work(run))
  } catch (error) {
    // also where the answer was lost: the engine may have given the turn
    const owed = await endTurn(app, wanted)
    if (error instanceof AgentError) error.further.push(...owed)
    throw error
  }
}

/** The report, with what the end of the turn has to say. */
export async function withTurnEnded(app: App, wanted: Wanted, report: Report): Promise<Report> {
  return { ...report, problems: [...report.problems, ...(await endTurn(app, wanted))] }
}

/**
 * Gives back the turn that this host has, if it has it. A run that is open or stuck keeps it, as its host may need more.
 * The engine may be away: that undoes nothing, and is tried again later.
 */
export async function endTurn({ fleet, runs }: App, wanted: Wanted): Promise<Problem[]> {
  if (fleet === null) return []
  const history = await moves(runs)
  const [last] = history
  if (last && isUnfinished(last)) return []
  return await orPending(async () => {
    if (last?.outcome === 'stuck') return keptBy(last.plan.run, await fleet.held())
    await fleet.giveBack(endOf(history, wanted))
    return []
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
async function moves(runs: RunStore): Promise<RunState[]> {
  return (await runs.history()).filter(({ plan }) => plan.command !== 'prefetch')
}

async function orPending(act: () => Promise<Problem[]>): Promise<Problem[]> {
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
  const text = targetText(target) ?? ''
  const held = heldTarget(history, target)
  if (held) return { run: held.run ?? '', target: text, reason: held.reason }
  const [last] = history
  const isReached = last?.outcome === 'upgraded' && concerns(last.plan, target, 'to')
  return isReached ? { run: last.plan.run, target: text, reason: null } : 'untouched'
}

function keptBy(run: string, lease: Namespaced | null): Problem[] {
  if (lease === null) return []
  const message = `run ${run} is stuck, so this host keeps ${nameOf(lease)}: no other host starts`
  return [{ code: 'lease-kept', severity: 'warning', message, fix: leaseLine(lease) }]
}

/** Not pending: an operator decides, and no later try does. */
export function isKept({ code }: Problem): boolean {
  return code === 'lease-kept'
}

function pending({ message }: AgentError): Problem {
  return {
    code: 'lease-pending',
    severity: 'warning',
    message: `the other hosts still wait for this one: ${message}`,
    fix: 'the service tries again by itself; agent resume does it at once',
  }
}
