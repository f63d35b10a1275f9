import type { ArgumentsCamelCase, CommandModule } from 'yargs'
import { AgentError } from '../core/errors.ts'
import { invalidConfig } from '../core/report/config-check.ts'
import { shownJson } from '../report/json.ts'
import { renderProblems } from '../report/status.ts'
import type { Environment } from './environment.ts'
import { type CommonArgs, DEFAULT_CONFIG, withCommon } from './options.ts'

interface ConfigArgs extends CommonArgs {
  action: string
  file: string | undefined
}

export function configCommand(environment: Environment): CommandModule<object, ConfigArgs> {
  return {
    command: 'config <action> [file]',
    describe:
      'config check: find what is wrong with the config, or with FILE; asks neither Docker nor a registry',
    builder: (yargs) =>
      withCommon(yargs)
        .positional('action', { choices: ['check'], demandOption: true, describe: 'what to do' })
        .positional('file', { type: 'string', describe: 'config file to check instead' }),
    handler: (options) => check(environment, options),
  }
}

async function check(
  { color, print, exit, loadConfig }: Environment,
  { json, file, ...options }: ArgumentsCamelCase<ConfigArgs>,
): Promise<void> {
  const path = file ?? options.config ?? DEFAULT_CONFIG
  try {
    const config = await loadConfig({ ...options, json, config: path })
    const { wantedOf } = await import('../config/wanted.ts')
    const { targetOf, targetText } = await import('../stories/held-target.ts')
    const target = targetText(targetOf(wantedOf(config, [])))
    if (json) print(shownJson({ schema: 1, valid: true, target, problems: [] }))
    else print(`${path} is valid; it asks for ${target ?? 'nothing to upgrade'}`)
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
    const problems = error.asProblems()
    print(json ? shownJson(invalidConfig(problems)) : renderProblems(problems, { color }))
    exit(error.exitCode)
  }
}
