import { AgentError, ExitCode, type Problem } from '../../core/errors.ts'
import { changesOf } from '../../core/plan/plan.ts'
import type { HistoryReport, HistoryRun } from '../../core/report/history.ts'
import type { RunState } from '../../journal/run-state.ts'
import type { App } from '../app.ts'
import { reportOf } from '../run-report.ts'
import { timelineOf } from './timeline.ts'

/** The runs of this host from their journals, newest first, or one of them. Changes nothing, and queries nothing else. */
export async function history(
  { runs }: Pick<App, 'runs'>,
  named: string | undefined,
): Promise<HistoryReport> {
  const all = await runs.history()
  if (named === undefined)
    return { schema: 1, runs: all.map((state) => summaryOf(state, runs)), timeline: null, problems: [] }
  const state = all.find(({ plan }) => plan.run === named)
  if (state === undefined) throw unknownRun(named, all)
  const summary = summaryOf(state, runs)
  const { steps, window, controllersDownMs, problems } = reportOf(state, runs.pathOf(named))
  const told = timelineOf(await runs.records(named), steps)
  return {
    schema: 1,
    runs: [summary],
    // a journal of 0.1 does not name its host: it is most likely this one
    timeline: { ...summary, ...told, host: told.host ?? runs.host?.name ?? null, window, controllersDownMs },
    problems,
  }
}

/** The newest run, if a run is requested but not named. */
export async function newestRun({ runs }: Pick<App, 'runs'>): Promise<string> {
  const [newest] = await runs.history()
  if (newest) return newest.plan.run
  throw new AgentError('no-runs', 'cannot draw a run: no run on record', {
    fix: 'calico-agent upgrade starts one',
  })
}

/** The report if the journals cannot be read. */
export function emptyHistoryReport(problems: Problem[]): HistoryReport {
  return { schema: 1, runs: [], timeline: null, problems }
}

function summaryOf(state: RunState, runs: App['runs']): HistoryRun {
  const { plan, startedAt, endedAt, outcome } = state
  const changes = changesOf(plan)
  const all = Object.entries(reportOf(state, runs.pathOf(plan.run)).components)
  const components = Object.fromEntries(all.filter(([component]) => component in changes))
  return { run: plan.run, startedAt, endedAt, command: plan.command, outcome, components }
}

function unknownRun(named: string, all: RunState[]): AgentError {
  const known = all.map(({ plan }) => plan.run).join(', ')
  return new AgentError('unknown-run', `cannot show ${named}: no run has this name`, {
    fix: known === '' ? 'no run on record' : `runs on record: ${known}`,
    exitCode: ExitCode.usage,
  })
}
