import type { CommandModule } from 'yargs'
import { AgentError, ExitCode } from '../core/errors.ts'
import type { DoctorReport } from '../core/report/doctor.ts'
import { renderDoctor } from '../report/doctor.ts'
import { shownJson } from '../report/json.ts'
import { doctor, emptyDoctorReport } from '../stories/doctor.ts'
import type { Environment } from './environment.ts'
import { type TargetArgs, withTarget } from './options.ts'

export function doctorCommand(environment: Environment): CommandModule<object, TargetArgs> {
  const { text, print, exit } = environment
  const show = (report: DoctorReport, json: boolean, exitCode: ExitCode): void => {
    print(json ? shownJson(report) : renderDoctor(report, text))
    exit(exitCode)
  }
  return {
    command: 'doctor',
    describe: 'check every preflight rule, and show how to fix what fails',
    builder: (yargs) =>
      withTarget(yargs)
        .example('$0 doctor', 'see whether this host can be upgraded, and how to fix what prevents it')
        .example('$0 doctor --to v2.6.12', 'the same for one release'),
    handler: async (options) => {
      try {
        const { app, wanted, end } = await environment.open(options, { target: false, progress: false })
        const report = await doctor(app, wanted)
        end()
        show(report, options.json, report.ready ? ExitCode.done : ExitCode.refused)
      } catch (error) {
        if (!(error instanceof AgentError)) throw error
        show(emptyDoctorReport(error.asProblems()), options.json, error.exitCode)
      }
    },
  }
}
