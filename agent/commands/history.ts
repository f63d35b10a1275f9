import type { ArgumentsCamelCase, CommandModule } from 'yargs'
import { AgentError } from '../core/errors.ts'
import { renderHistory } from '../report/history.ts'
import { historyPage } from '../report/history-page.ts'
import { shownJson } from '../report/json.ts'
import { renderProblems } from '../report/status.ts'
import { emptyHistoryReport, history, newestRun } from '../stories/history/history.ts'
import type { Environment } from './environment.ts'
import { type CommonArgs, withCommon } from './options.ts'

interface HistoryArgs extends CommonArgs {
  run: string | undefined
  html: string | undefined
}

export function historyCommand(environment: Environment): CommandModule<object, HistoryArgs> {
  return {
    command: 'history [run]',
    describe: 'list the runs, newest first, or show the timeline of RUN',
    builder: (yargs) =>
      withCommon(yargs)
        .positional('run', { type: 'string', describe: 'a run, as the list has it' })
        .option('html', {
          type: 'string',
          requiresArg: true,
          describe: 'write the timeline of RUN, or of the newest run, to this HTML `FILE`',
        })
        .example('$0 history', 'list the runs that retention keeps')
        .example('$0 history 20261122T141503Z-7f3a', 'see what this run did, and when')
        .example('$0 history --html run.html', 'draw the newest run'),
    handler: (options) => show(environment, options),
  }
}

async function show(environment: Environment, options: ArgumentsCamelCase<HistoryArgs>): Promise<void> {
  const { text, print, exit } = environment
  const { json, html } = options
  try {
    const { app, end } = await environment.open(options, {
      target: false,
      withoutManifest: true,
      progress: false,
    })
    const run = options.run ?? (html === undefined ? undefined : await newestRun(app))
    const report = await history(app, run)
    end()
    if (html !== undefined && report.timeline !== null)
      await environment.writeFile(html, historyPage(report.timeline, report.problems))
    if (json) print(shownJson(report))
    else
      print(
        html === undefined ? renderHistory(report, text) : `wrote the timeline of ${run ?? ''} to ${html}`,
      )
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
    const problems = error.asProblems()
    print(json ? shownJson(emptyHistoryReport(problems)) : renderProblems(problems, text))
    exit(error.exitCode)
  }
}
