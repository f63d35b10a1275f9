import type { Problem } from '../core/errors.ts'
import type { Plan, PlannedStep } from '../core/plan/plan.ts'
import type { Report } from '../core/report/report.ts'
import type { Docker } from '../ports/docker.ts'
import { type App, carryOut } from './app.ts'

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
