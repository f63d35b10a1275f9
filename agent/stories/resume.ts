import type { Wanted } from '../core/model.ts'
import type { Report } from '../core/report/report.ts'
import { type App, resumeInterrupted } from './app.ts'
import { finishUncordons } from './pending-uncordon.ts'
import { unstarted } from './run-report.ts'
import { endTurn } from './turn.ts'

/** Finishes or unwinds the run that was interrupted, uncordons what a run could not, and ends this host's turn. */
export async function resume(app: App, wanted: Wanted): Promise<Report> {
  await app.lock('resume')
  const resumed = await resumeInterrupted(app)
  const pending = [...(await finishUncordons(app)), ...(await endTurn(app, wanted))]
  if (resumed) return resumed
  return unstarted(pending.length > 0 ? 'deferred' : 'unchanged', null, pending)
}
