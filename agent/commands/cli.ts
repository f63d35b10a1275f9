import yargs, { type Argv } from 'yargs'
import { ExitCode } from '../core/errors.ts'
import { shownJson } from '../report/json.ts'
import { complete } from './completion/complete.ts'
import { completionCommand } from './completion/completion.ts'
import { COMPLETE } from './completion/scripts.ts'
import { configCommand } from './config.ts'
import { daemonCommand } from './daemon.ts'
import { doctorCommand } from './doctor.ts'
import type { Environment } from './environment.ts'
import { fleetCommand } from './fleet.ts'
import { gcCommand } from './gc.ts'
import { COMMON_OPTIONS, type HelpOf, parseHelp } from './help/help.ts'
import { type Group, layOut } from './help/layout.ts'
import { suggest } from './help/suggest.ts'
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

const PROGRAM = 'calico-agent'

/** How the overview lists the commands. */
const GROUPS: readonly Group[] = [
  ['Upgrade this host', ['upgrade', 'plan', 'prefetch', 'rollback', 'resume']],
  ['Inspect this host', ['status', 'doctor', 'history']],
  ['Roll out to many hosts', ['fleet']],
  ['Run and maintain the agent', ['daemon', 'config', 'gc', 'metrics', 'completion']],
]

/** Parses the command line and runs its command. A usage error prints what is wrong and exits 2. */
export async function runCli(argv: string[], environment: Environment): Promise<void> {
  const { print, exit, pastRuns } = environment
  const helpOf: HelpOf = async (words) => parseHelp(await outputOf([...words, '--help'], environment))
  if (argv[0] === COMPLETE) {
    const candidates = await complete(argv.slice(1), { helpOf, pastRuns })
    if (candidates !== '') print(candidates)
    return
  }
  try {
    const output = await outputOf(argv, environment)
    if (output === environment.version) print(output)
    else if (output !== '') print(shownHelp(output))
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    const message = await suggest(error.message, argv, helpOf)
    const document = usageDocument(argv, message)
    if (document) print(shownJson(document))
    process.stderr.write(
      `${PROGRAM}: ${message}\n${PROGRAM} --help shows the commands, ${PROGRAM} COMMAND --help its options\n`,
    )
    exit(ExitCode.usage)
  }
}

/** Runs the command, and resolves to what yargs itself has to say: the help, or the version. */
async function outputOf(argv: string[], environment: Environment): Promise<string> {
  let said = ''
  await parser(argv, environment).parseAsync(argv, {}, (_error, _parsed, output) => {
    said = output
  })
  return said
}

function shownHelp(output: string): string {
  const help = parseHelp(output)
  const width = Math.max(60, Math.min(100, process.stdout.columns || 100))
  return layOut(help, width, help.usage === PROGRAM ? GROUPS : undefined)
}

function parser(argv: string[], environment: Environment): Argv {
  const base = yargs()
    .scriptName(PROGRAM)
    // its words are read again, to lay them out
    .locale('en')
    .parserConfiguration({ 'boolean-negation': false, 'dot-notation': false })
    .usage("$0\n\nUpgrades Calico on this host inside BIRD's graceful-restart window.")
    .epilog('$0 COMMAND --help shows the options and examples of a command.')
    .version('version', 'print the version', environment.version)
    .help('help', 'print this help')
    .alias('h', 'help')
    .group(['help', 'version'], COMMON_OPTIONS)
    .wrap(null)
    .exitProcess(false)
  return withCommands(base, environment)
    .check((parsed) => {
      refuseMisuse(argv, parsed)
      return true
    })
    .demandCommand(1, 'name a command')
    .strictCommands()
    .strict()
    .fail((message, error: Error | undefined) => {
      // A command's own failure is not a usage error; yargs throws its own ones as YError.
      if (error && error.name !== 'YError') throw error
      throw new UsageError(inWords(message || (error?.message ?? 'bad usage')))
    })
}

function withCommands(base: Argv, environment: Environment): Argv {
  return base
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
    .command(completionCommand(environment))
    .command(daemonCommand(environment))
}
