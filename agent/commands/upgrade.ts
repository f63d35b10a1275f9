import type { CommandModule } from 'yargs'
import { plan, upgrade } from '../upgrade.ts'
import type { Environment } from './environment.ts'
import { type PlanArgs, withPlan } from './options.ts'
import { runStory } from './run-story.ts'

export function upgradeCommand(
  environment: Environment,
): CommandModule<object, PlanArgs & { check: boolean }> {
  return {
    command: 'upgrade',
    describe: 'make this host run what the config or the flags say',
    builder: (yargs) =>
      withPlan(yargs).option('check', {
        type: 'boolean',
        default: false,
        describe: 'plan only, and report `changed`',
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
