import type { CommandModule } from 'yargs'
import { AgentError } from '../core/errors.ts'
import { renderGc } from '../report/gc.ts'
import { shownJson } from '../report/json.ts'
import { emptyGcReport, gc, planGc } from '../stories/gc/gc.ts'
import type { Environment } from './environment.ts'
import { type CommonArgs, withCommon } from './options.ts'

interface GcArgs extends CommonArgs {
  check: boolean
}

export function gcCommand(environment: Environment): CommandModule<object, GcArgs> {
  const { text, print, exit } = environment
  return {
    command: 'gc',
    describe: 'remove containers, images and files that are past their retention',
    builder: (yargs) =>
      withCommon(yargs)
        .option('check', {
          type: 'boolean',
          default: false,
          describe: 'show what would be removed, and remove nothing',
        })
        .example('$0 gc --check', 'see what would be removed')
        .example('$0 gc', 'remove what retention no longer keeps'),
    handler: async (options) => {
      const { json, check } = options
      try {
        const { app, wanted, end } = await environment.open(options, {
          target: false,
          withoutManifest: true,
          progress: false,
        })
        try {
          const report = await (check ? planGc : gc)(app, wanted)
          print(json ? shownJson(report) : renderGc(report, { ...text, check }))
        } finally {
          end()
        }
      } catch (error) {
        if (!(error instanceof AgentError)) throw error
        const report = emptyGcReport(error.asProblems())
        print(json ? shownJson(report) : renderGc(report, { ...text, check }))
        exit(error.exitCode)
      }
    },
  }
}
