import type { CommandModule } from 'yargs'
import { AgentError } from '../core/errors.ts'
import { shownJson } from '../report/json.ts'
import { renderProblems, renderStatus } from '../report/status.ts'
import { emptyStatusReport, status } from '../stories/status.ts'
import type { Environment } from './environment.ts'
import { type TargetArgs, withTarget } from './options.ts'

export function statusCommand(environment: Environment): CommandModule<object, TargetArgs> {
  return {
    command: 'status',
    describe: "show what runs, BIRD's sessions, and what an upgrade would change",
    builder: (yargs) =>
      withTarget(yargs)
        .example('$0 status', 'see this host, and how it differs from the config')
        .example('$0 status --to v2.6.12 --json', 'tell a script whether this release would change anything'),
    handler: async (options) => {
      const { text, print } = environment
      try {
        const { app, wanted, end } = await environment.open(options, { target: false, progress: false })
        const report = await status(app, wanted)
        end()
        print(options.json ? shownJson(report) : renderStatus(report, text))
      } catch (error) {
        if (!(error instanceof AgentError)) throw error
        const problems = error.asProblems()
        print(options.json ? shownJson({ ...emptyStatusReport, problems }) : renderProblems(problems, text))
        environment.exit(error.exitCode)
      }
    },
  }
}
