import type { Report } from '../core/report/report.ts'
import { type App, resumeInterrupted } from './app.ts'
import { finishUncordons } from './pending-uncordon.ts'
import { unstarted } from './run-report.ts'

/** Finishes or unwinds the run that was interrupted, and uncordons what a run could not; else nothing is to be done. */
export async function resume(app: App): Promise<Report> {
  await app.lock('resume')
  const resumed = await resumeInterrupted(app)
  const pending = await finishUncordons(app)
  if (resumed) return resumed
  return unstarted(pending.length > 0 ? 'deferred' : 'unchanged', null, pending)
}
