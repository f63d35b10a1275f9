import type { CommandModule } from 'yargs'
import { plan, upgrade } from '../stories/upgrade.ts'
import type { Environment } from './environment.ts'
import { type UpgradeArgs, withPlan } from './options.ts'
import { runStory } from './run-story.ts'

export function upgradeCommand(environment: Environment): CommandModule<object, UpgradeArgs> {
  return {
    command: 'upgrade',
    describe: 'upgrade this host to what the config or the flags name',
    builder: (yargs) =>
      withPlan(yargs)
        .option('check', {
          type: 'boolean',
          default: false,
          describe: 'only show the plan, like agent plan',
        })
        .option('wait', {
          type: 'string',
          requiresArg: true,
          describe: 'wait this long for a slot of the fleet, such as 30m; without it, exit with 75 at once',
        }),
    handler: (options) =>
      runStory(
        environment,
        options,
        { target: true, progress: !options.check },
        options.check ? plan : upgrade,
      ),
  }
}
