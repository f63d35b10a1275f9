import type { ArgumentsCamelCase, CommandModule } from 'yargs'
import { AgentError } from '../core/errors.ts'
import { invalidConfig } from '../core/report/config-check.ts'
import { emptyConfigShow } from '../core/report/config-show.ts'
import { renderConfigShow } from '../report/config-show.ts'
import { shownJson } from '../report/json.ts'
import { renderProblems } from '../report/status.ts'
import type { Environment } from './environment.ts'
import { type ConfigFlagArgs, DEFAULT_CONFIG, withConfigFlags } from './options.ts'

interface ConfigArgs extends ConfigFlagArgs {
  file: string | undefined
}

type ConfigOptions = ArgumentsCamelCase<ConfigFlagArgs>
type Action = (environment: Environment, options: ConfigOptions) => Promise<void>

export function configCommand(environment: Environment): CommandModule {
  return {
    command: 'config',
    describe: 'check the config, or show what is in force and where it comes from',
    builder: (yargs) =>
      yargs
        .command(subCommand(environment, 'check', 'find every mistake in the config, offline', check))
        .command(subCommand(environment, 'show', 'show each value in force, and where it comes from', show))
        .demandCommand(1, 'name what to do: config check or show')
        .example('$0 config check agent.yaml', 'try a config before it goes to a host')
        .example('$0 config show', 'see every key, its value, and where it comes from'),
    handler: () => undefined,
  }
}

function subCommand(
  environment: Environment,
  name: string,
  describe: string,
  action: Action,
): CommandModule<object, ConfigArgs> {
  return {
    command: `${name} [file]`,
    describe,
    builder: (yargs) =>
      withConfigFlags(yargs).positional('file', { type: 'string', describe: 'config file to read instead' }),
    handler: ({ file, ...options }) => action(environment, { ...options, config: file ?? options.config }),
  }
}

async function check(
  { text, print, exit, loadConfig }: Environment,
  { json, config: path = DEFAULT_CONFIG, ...options }: ConfigOptions,
): Promise<void> {
  try {
    const config = await loadConfig({ ...options, json, config: path })
    const { wantedOf } = await import('../config/wanted.ts')
    const { targetOf, targetText } = await import('../stories/held-target.ts')
    const target = targetText(targetOf(wantedOf(config, [])))
    if (json) print(shownJson({ schema: 1, valid: true, target, problems: [] }))
    else
      print(`${path} is valid; ${target === null ? 'it names nothing to upgrade' : `it asks for ${target}`}`)
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
    const problems = error.asProblems()
    print(json ? shownJson(invalidConfig(problems)) : renderProblems(problems, text))
    exit(error.exitCode)
  }
}

/** A default file that is missing says nothing: flags and defaults are in force. */
async function show(
  { text, print, exit, loadConfig, readConfigFile }: Environment,
  options: ConfigOptions,
): Promise<void> {
  const { json, config: file = DEFAULT_CONFIG } = options
  try {
    const { settingsOf } = await import('../config/origins.ts')
    const config = await loadConfig(options)
    const settings = settingsOf({ config, flags: options, file, bytes: await readConfigFile(file) })
    const report = { ...emptyConfigShow([]), settings }
    print(json ? shownJson(report) : renderConfigShow(report, text))
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
    const problems = error.asProblems()
    print(json ? shownJson(emptyConfigShow(problems)) : renderProblems(problems, text))
    exit(error.exitCode)
  }
}
