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
          describe: 'only show the plan, as plan does',
        })
        .option('wait', {
          type: 'string',
          requiresArg: true,
          describe: 'wait this `TIME` for a slot of the fleet, such as 30m; without it, exit with 75 at once',
        })
        .example('$0 upgrade --to v2.6.12', 'bring this host to a release')
        .example('$0 upgrade --check --diff', 'see what the config asks for, and change nothing')
        .example(
          '$0 upgrade --to v2.6.12 --only cni,cni-config',
          'upgrade the CNI plugins and their config alone',
        )
        .example('$0 upgrade --wait 30m --json', 'wait for a slot of the fleet, and report to a script'),
    handler: (options) =>
      runStory(
        environment,
        options,
        { target: true, progress: !options.check },
        options.check ? plan : upgrade,
      ),
  }
}
