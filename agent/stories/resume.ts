import type { Report } from '../core/report/report.ts'
import { type App, resumeInterrupted } from './app.ts'
import { finishUncordons } from './pending-uncordon.ts'
import { unstarted } from './run-report.ts'

/** Finishes or undoes the interrupted run, and uncordons what a run could not; otherwise there is nothing to do. */
export async function resume(app: App): Promise<Report> {
  await app.lock('resume')
  const resumed = await resumeInterrupted(app)
  const uncordoned = await uncordoning(app)
  return resumed ?? uncordoned
}

/** For the service: an API server that is down must not prevent what comes after the resume. */
export async function resumeAlone(app: App): Promise<Report> {
  await app.lock('resume')
  return (await resumeInterrupted(app)) ?? unstarted('unchanged', null, [])
}

export async function uncordonAlone(app: App): Promise<Report> {
  await app.lock('uncordon')
  return await uncordoning(app)
}

async function uncordoning(app: App): Promise<Report> {
  const pending = await finishUncordons(app)
  return unstarted(pending.length > 0 ? 'deferred' : 'unchanged', null, pending)
}
