import { isError, type Problem } from '../core/errors.ts'
import { prefetchPlan } from '../core/plan/build.ts'
import type { Plan } from '../core/plan/plan.ts'
import { prefetchProblems } from '../core/preflight.ts'
import type { Report } from '../core/report/report.ts'
import type { Wanted } from '../core/wanted.ts'
import { observe } from '../observe/observe.ts'
import { type App, carryOut, isUnfinished, resumeInterrupted } from './app.ts'
import { knownContent } from './replaced.ts'
import { unstarted } from './run-report.ts'
import { interruptedRun } from './unsettled-run.ts'

/** Pulls what an upgrade would pull, and stages its plugins; changes nothing that runs. */
export async function prefetch(app: App, wanted: Wanted): Promise<Report> {
  await app.lock('prefetch')
  await settleOpen(app)
  const { fetching, problems } = await planPrefetch(app, wanted)
  if (problems.some(isError) || fetching.steps.length === 0) return unfetched(fetching, problems)
  return await carryOut(app, fetching, problems, [])
}

/** Another prefetch that was interrupted is finished. Any other run may move what runs: its own command does that. */
async function settleOpen(app: App): Promise<void> {
  const open = (await app.runs.history()).find(isUnfinished)
  if (open && open.plan.command !== 'prefetch') throw interruptedRun('prefetch', open)
  await resumeInterrupted(app)
}

/** What would be pulled and staged. */
export async function fetchingPlan(app: App, wanted: Wanted): Promise<Report> {
  const { fetching, problems } = await planPrefetch(app, wanted)
  return unfetched(fetching, problems)
}

function unfetched(fetching: Plan, problems: Problem[]): Report {
  if (problems.some(isError)) return unstarted('refused', fetching, problems)
  return unstarted(fetching.steps.length === 0 ? 'unchanged' : 'planned', fetching, problems)
}

async function planPrefetch(app: App, wanted: Wanted): Promise<{ fetching: Plan; problems: Problem[] }> {
  const known = knownContent(await app.runs.history())
  const observed = await observe(wanted, { ...app.ports, datastore: null }, app, known)
  const fetching = prefetchPlan({ run: app.newRun(), wanted, observed })
  return { fetching, problems: prefetchProblems(observed, wanted) }
}
