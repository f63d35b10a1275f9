import type { Report } from '../core/report/report.ts'
import { type App, resumeInterrupted } from './app.ts'
import { unstarted } from './run-report.ts'

/** Finishes or unwinds the run that was interrupted; without one nothing is to be done. */
export async function resume(app: App): Promise<Report> {
  await app.lock('resume')
  return (await resumeInterrupted(app)) ?? unstarted('unchanged', null, [])
}
