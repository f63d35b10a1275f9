import type { Problem } from '../core/errors.ts'
import type { Report } from '../core/report/report.ts'
import type { Wanted } from '../core/wanted.ts'
import { type App, resumeInterrupted } from './app.ts'
import { endTurn, isKept, withTurnEnded } from './fleet/end-turn.ts'
import { recordOutcome } from './fleet/host-record.ts'
import { finishUncordons } from './pending-uncordon.ts'
import { unstarted } from './run-report.ts'

/** Finishes or undoes the interrupted run, uncordons what a run could not, and ends the turn of this host. */
export async function resume(app: App, wanted: Wanted): Promise<Report> {
  await app.lock('resume')
  const resumed = await resumeInterrupted(app)
  if (resumed === null) return await settling(app)
  await finishUncordons(app)
  return await settled(app, wanted, resumed)
}

/** For the service: an API server that is down must not prevent what comes after the resume. */
export async function resumeAlone(app: App, wanted: Wanted): Promise<Report> {
  await app.lock('resume')
  const resumed = await resumeInterrupted(app)
  if (resumed === null) return unstarted('unchanged', null, [])
  return await settled(app, wanted, resumed)
}

async function settled(app: App, wanted: Wanted, resumed: Report): Promise<Report> {
  const report = await withTurnEnded(app, resumed)
  await recordOutcome(app, wanted, report)
  return report
}

export async function uncordonAlone(app: App): Promise<Report> {
  await app.lock('uncordon')
  return await settling(app)
}

async function settling(app: App): Promise<Report> {
  const pending = await settleCluster(app)
  const isDue = pending.some((problem) => !isKept(problem))
  return unstarted(isDue ? 'deferred' : 'unchanged', null, pending)
}

/** What the end of a run owes the cluster, where the API server was away then. Returns what still cannot be done. */
export async function settleCluster(app: App): Promise<Problem[]> {
  return [...(await finishUncordons(app)), ...(await endTurn(app))]
}
