import yargs, { type Argv } from 'yargs'
import { ExitCode } from '../core/errors.ts'
import { shownJson } from '../report/json.ts'
import { completionCommand } from './completion.ts'
import { configCommand } from './config.ts'
import { daemonCommand } from './daemon.ts'
import { doctorCommand } from './doctor.ts'
import type { Environment } from './environment.ts'
import { fleetCommand } from './fleet.ts'
import { gcCommand } from './gc.ts'
import { historyCommand } from './history.ts'
import { metricsCommand } from './metrics.ts'
import { inWords, refuseMisuse } from './misuse.ts'
import { planCommand } from './plan.ts'
import { prefetchCommand } from './prefetch.ts'
import { resumeCommand } from './resume.ts'
import { rollbackCommand } from './rollback.ts'
import { statusCommand } from './status.ts'
import { upgradeCommand } from './upgrade.ts'
import { UsageError, usageDocument } from './usage-error.ts'

/** Parses the command line and runs its command. A usage error prints what is wrong and exits 2. */
export async function runCli(argv: string[], environment: Environment): Promise<void> {
  const parser: Argv = yargs(argv)
    .scriptName('agent')
    .parserConfiguration({ 'boolean-negation': false, 'dot-notation': false })
    .usage('$0 COMMAND\n\nUpgrades Calico on this host inside BIRD’s graceful-restart window.')
    .command(upgradeCommand(environment))
    .command(planCommand(environment))
    .command(prefetchCommand(environment))
    .command(statusCommand(environment))
    .command(doctorCommand(environment))
    .command(rollbackCommand(environment))
    .command(resumeCommand(environment))
    .command(historyCommand(environment))
    .command(gcCommand(environment))
    .command(fleetCommand(environment))
    .command(configCommand(environment))
    .command(metricsCommand(environment))
    .command(completionCommand(() => parser))
    .command(daemonCommand(environment))
    .check((parsed) => {
      refuseMisuse(argv, parsed)
      return true
    })
    .demandCommand(1, 'name a command')
    .strictCommands()
    .strict()
    .version(environment.version)
    .help()
    .alias('h', 'help')
    .wrap(Math.min(100, process.stdout.columns || 100))
    .exitProcess(false)
    .fail((message, error: Error | undefined) => {
      // A command's own failure is not a usage error; yargs throws its own ones as YError.
      if (error && error.name !== 'YError') throw error
      throw new UsageError(inWords(message || (error?.message ?? 'bad usage'), argv))
    })
  try {
    await parser.parseAsync()
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    const document = usageDocument(argv, error)
    if (document) environment.print(shownJson(document))
    process.stderr.write(
      `agent: ${error.message}\nagent --help shows the commands, agent COMMAND --help its options\n`,
    )
    environment.exit(ExitCode.usage)
  }
}
