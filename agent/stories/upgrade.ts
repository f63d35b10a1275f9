import { isError, type Problem } from '../core/errors.ts'
import { grouped } from '../core/grouped.ts'
import { known } from '../core/known.ts'
import type { Observed } from '../core/model.ts'
import { upgradePlan } from '../core/plan/build.ts'
import type { PlannedChange } from '../core/plan/part.ts'
import { preflight, refusalOf } from '../core/preflight.ts'
import type { Report } from '../core/report/report.ts'
import type { Wanted } from '../core/wanted.ts'
import { observe } from '../observe/observe.ts'
import { giveStrategyBackIfDone } from '../steps/daemon-set/restore-strategy.ts'
import { type App, carryOut, resumeInterrupted } from './app.ts'
import { onlyExisting } from './existing.ts'
import { fetchAhead } from './fetch-ahead.ts'
import { isKept, withTurnEnded } from './fleet/end-turn.ts'
import { recordOutcome } from './fleet/host-record.ts'
import { inTurn, needsTurn } from './fleet/turn.ts'
import { recheckOf } from './recheck.ts'
import { inPlace, knownContent, leftoversOf } from './replaced.ts'
import { settleCluster } from './resume.ts'
import { unstarted } from './run-report.ts'
import { settleStuck } from './settle-stuck.ts'

/** Upgrades this host to what is requested, and tells the fleet, if it is of one. */
export async function upgrade(app: App, wanted: Wanted): Promise<Report> {
  const report = await upgradeHost(app, wanted)
  if (report.outcome === 'unchanged') await settleStuck(app.runs, report)
  await recordOutcome(app, wanted, report)
  return report
}

/** Settle what an earlier run left, observe, plan, wait for a slot, execute, report. */
async function upgradeHost(app: App, wanted: Wanted): Promise<Report> {
  await app.lock('upgrade')
  const earlier = await resumeInterrupted(app)
  if (earlier?.outcome === 'stuck') return await withTurnEnded(app, earlier)
  const owed = await settleCluster(app)
  for (const problem of owed) {
    // this very upgrade may give it back
    if (!isKept(problem)) app.emit({ type: 'problem', problem })
  }

  const first = await planUpgrade(app, wanted)
  for (const problem of grouped(first.problems)) app.emit({ type: 'problem', problem })
  // The interrupted run that was just finished has already upgraded the host.
  if (earlier?.changed === true && first.change?.plan.steps.length === 0) return earlier
  if (first.change === null || app.fleet === null || !needsTurn(first.change.plan)) {
    const report = await begin(app, wanted, first)
    return owed.length === 0 ? report : await withTurnEnded(app, report, report.outcome === 'unchanged')
  }

  const fetched = await fetchAhead(app, first.change.plan, first.problems)
  if (fetched !== null && fetched.outcome !== 'prefetched') return fetched
  return await inTurn(app, app.fleet, wanted, async (run) => {
    // the host may have changed by the time that its turn comes; others may have worked on it
    const left = await resumeInterrupted(app)
    return left?.outcome === 'stuck' ? left : await begin(app, wanted, await planUpgrade(app, wanted, run))
  })
}

/** Carries out what was planned, if anything. */
async function begin(app: App, wanted: Wanted, { observed, change, problems }: Planned): Promise<Report> {
  if (change === null) return unstarted(refusalOf(problems), null, problems)
  if (change.plan.steps.length === 0)
    return unstarted('unchanged', change.plan, [...problems, ...(await strategyBack(app, observed))])
  return await carryOut(app, change.plan, problems, change.diff, recheckOf(app, wanted, problems))
}

/** The last host could not restore the update strategy, or went away: the next one that looks does it. */
async function strategyBack({ ports }: App, { node }: Observed): Promise<Problem[]> {
  const set = known(node?.daemonSet)
  if (set?.owed === undefined) return []
  return await giveStrategyBackIfDone({ namespace: set.namespace, name: set.name }, ports)
}

/** The same, computed but not carried out. */
export async function plan(app: App, wanted: Wanted): Promise<Report> {
  const { change, problems } = await planUpgrade(app, wanted)
  if (change === null) return unstarted(refusalOf(problems), null, problems)
  const outcome = change.plan.steps.length === 0 ? 'unchanged' : 'planned'
  return unstarted(outcome, change.plan, problems, change.diff)
}

/** A null change means a refusal: the problems say why. */
interface Planned {
  observed: Observed
  change: PlannedChange | null
  problems: Problem[]
}

/** What an upgrade would do. */
export async function planUpgrade(app: App, wanted: Wanted, run = app.newRun()): Promise<Planned> {
  const history = await app.runs.history()
  const observed = await observe(wanted, app.ports, app, knownContent(history))
  const problems = preflight(observed, wanted)
  if (problems.some(isError)) return { observed, change: null, problems }
  const left = leftoversOf(history, wanted.keepImages, inPlace(observed))
  const leftovers = await onlyExisting(left, app.ports)
  const change = upgradePlan({ run, wanted, observed, leftovers })
  return { observed, change, problems }
}
