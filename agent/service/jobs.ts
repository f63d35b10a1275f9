import type { Config } from '../config/schema.ts'
import { AgentError, ExitCode } from '../core/errors.ts'
import type { Emit } from '../core/events.ts'
import type { FleetSummary } from '../core/fleet/view.ts'
import type { Report } from '../core/report/report.ts'
import type { StatusReport } from '../core/report/status.ts'
import type { Wanted } from '../core/wanted.ts'
import { type App, isUnfinished } from '../stories/app.ts'
import { type HeldTarget, heldTarget, targetOf } from '../stories/held-target.ts'
import { isUncordonPending } from '../stories/pending-uncordon.ts'
import { resumeAlone, uncordonAlone } from '../stories/resume.ts'
import { exitCodeOf, reportOfError } from '../stories/run-report.ts'
import { upgrade } from '../stories/upgrade.ts'
import { lookAtFleet, lookAtHost, type OpenedHost, type OpenHost } from './look.ts'
import type { End, JobKind } from './loop.ts'

export interface Finished {
  report: Report
  end: End
}

/** What the service does on the host, with the same stories as the commands run by hand. */
export interface Jobs {
  run(kind: JobKind, config: Config, emit: Emit, wait: AbortSignal): Promise<Finished>
  /** Whether earlier runs speak against the config's target. */
  held(config: Config): Promise<HeldTarget | null>
  /** Whether an earlier run left the Node cordoned, or other hosts waiting, because the API server was down. */
  uncordonPending(config: Config): Promise<boolean>
  /** What the hosts of its group share; null without a group, or while its engine is away. */
  fleet(config: Config): Promise<FleetSummary | null>
  /** The host as it is now; null if it cannot be observed. */
  look(config: Config): Promise<StatusReport | null>
}

export function createJobs(open: OpenHost, signal: AbortSignal): Jobs {
  const silent: Emit = () => undefined
  // an agent before this one may have left its turn
  let owesTurn = true
  return {
    run: async (kind, config, emit, wait) => {
      const finished = await run(kind, () => open(config, emit, signal, wait))
      if (finished.report.problems.some(({ code }) => code === 'slot-pending')) owesTurn = true
      else if (kind === 'uncordon' && finished.end === 'done') owesTurn = false
      return finished
    },
    held: async (config) => {
      try {
        const { app, wanted } = await open(config, silent, signal)
        return heldTarget(await app.runs.history(), targetOf(wanted))
      } catch (error) {
        if (!(error instanceof AgentError)) throw error
        return { run: null, reason: error.message, stuck: true }
      }
    },
    uncordonPending: async (config) => {
      if (owesTurn && config.fleet) return true
      if (!config.kubernetes) return false
      const { app } = await open(config, silent, signal)
      return (await app.runs.history().catch(() => [])).some(isUncordonPending)
    },
    fleet: (config) => lookAtFleet(open, config),
    look: (config) => lookAtHost(open, config),
  }
}

const STORIES: Record<JobKind, (app: App, wanted: Wanted) => Promise<Report>> = {
  resume: resumeAlone,
  apply: upgrade,
  uncordon: uncordonAlone,
}

async function run(kind: JobKind, open: () => Promise<OpenedHost>): Promise<Finished> {
  try {
    const { app, wanted, end } = await open()
    try {
      const report = await STORIES[kind](app, wanted)
      return { report, end: await endOf(report, app) }
    } finally {
      end()
    }
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
    const report = reportOfError(error)
    // A resume that could not begin has settled nothing.
    const isOpen = kind === 'resume' && report.outcome === 'refused'
    return { report, end: isOpen ? 'unfinished' : endOfOutcome(report) }
  }
}

/** A run that is stuck and still open waits for Docker, not for an operator. */
async function endOf(report: Report, app: App): Promise<End> {
  const isOpen = report.outcome === 'stuck' && (await app.runs.history()).some(isUnfinished)
  return isOpen ? 'unfinished' : endOfOutcome(report)
}

/** A command run by hand exits with the matching code. */
const ENDS = {
  [ExitCode.done]: 'done',
  [ExitCode.refused]: 'refused',
  [ExitCode.rolledBack]: 'failed',
  [ExitCode.stuck]: 'stuck',
  [ExitCode.deferred]: 'deferred',
} as const

function endOfOutcome(report: Report): End {
  return ENDS[exitCodeOf(report)]
}
