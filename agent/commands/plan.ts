import type { CommandModule } from 'yargs'
import { plan } from '../stories/upgrade.ts'
import type { Environment } from './environment.ts'
import { type PlanArgs, withPlan } from './options.ts'
import { runStory } from './run-story.ts'

export function planCommand(environment: Environment): CommandModule<object, PlanArgs> {
  return {
    command: 'plan',
    describe: 'show what an upgrade would do; changes nothing',
    builder: (yargs) =>
      withPlan(yargs)
        .example('$0 plan --to v2.6.12', 'see the steps to a release, and what would stop them')
        .example(
          '$0 plan --node quay.io/calico/node:v2.6.12 --diff',
          'see each field of the container that would change',
        ),
    handler: (options) => runStory(environment, options, { target: true, progress: false }, plan),
  }
}
