import { AgentError, type ExitCode } from '../core/errors.ts'
import type { Report } from '../core/report/report.ts'
import type { Wanted } from '../core/wanted.ts'
import { renderReport } from '../report/human.ts'
import { shownJson } from '../report/json.ts'
import type { App } from '../stories/app.ts'
import { exitCodeOf, reportOfError } from '../stories/run-report.ts'
import type { Environment, Need } from './environment.ts'
import type { CommonOptions } from './options.ts'

/** Runs one story and shows its report: as JSON, or for people. */
export async function runStory(
  environment: Environment,
  options: CommonOptions,
  need: Need,
  story: (app: App, wanted: Wanted) => Promise<Report>,
): Promise<void> {
  const { report, exitCode } = await reportOfStory(environment, options, need, story)
  environment.print(
    options.json
      ? shownJson(report)
      : renderReport(report, { ...environment.text, diff: options.diff ?? false }),
  )
  environment.exit(exitCode)
}

async function reportOfStory(
  environment: Environment,
  options: CommonOptions,
  need: Need,
  story: (app: App, wanted: Wanted) => Promise<Report>,
): Promise<{ report: Report; exitCode: ExitCode }> {
  try {
    const { app, wanted, end } = await environment.open(options, need)
    try {
      const report = await story(app, wanted)
      return { report, exitCode: exitCodeOf(report) }
    } finally {
      end()
    }
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
    return { report: reportOfError(error), exitCode: error.exitCode }
  }
}
