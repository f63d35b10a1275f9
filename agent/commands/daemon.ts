import type { CommandModule } from 'yargs'
import { AgentError, ExitCode } from '../core/errors.ts'
import { shownJson } from '../report/json.ts'
import { reportOfError, unstarted } from '../stories/run-report.ts'
import type { Environment } from './environment.ts'
import { type CommonArgs, type CommonOptions, DEFAULT_CONFIG, withCommon } from './options.ts'

export function daemonCommand(environment: Environment): CommandModule<object, CommonArgs> {
  return {
    command: 'daemon',
    describe: 'run the service: resume, watch the config, apply it, serve metrics',
    builder: withCommon,
    handler: (options) => runUntilStopped(environment, options),
  }
}

async function runUntilStopped(environment: Environment, options: CommonOptions): Promise<void> {
  const { version, open, loadConfig, figures, print, exit, stopSignal } = environment
  const log = environment.log(options, 'info')
  // Loaded when it is needed: every other command starts without it.
  const { runDaemon } = await import('../service/daemon.ts')
  try {
    const report = await runDaemon({
      version,
      log,
      configFile: options.config ?? DEFAULT_CONFIG,
      loadConfig: () => loadConfig(options),
      open: (config, emit, signal, wait) =>
        open(options, { target: false, progress: false }, { config, emit, signal, wait: wait ?? null }),
      figures: figures(options),
      env: process.env,
      signal: stopSignal(),
    })
    if (options.json) print(shownJson(report ?? unstarted('unchanged', null, [])))
    exit(ExitCode.done)
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
    log.fatal({ code: error.code, fix: error.fix }, error.message)
    if (options.json) print(shownJson(reportOfError(error)))
    exit(error.exitCode)
  }
}
