import type { CommandModule } from 'yargs'
import { plan } from '../stories/upgrade.ts'
import type { Environment } from './environment.ts'
import { type PlanArgs, withPlan } from './options.ts'
import { runStory } from './run-story.ts'

export function planCommand(environment: Environment): CommandModule<object, PlanArgs> {
  return {
    command: 'plan',
    describe: 'show what an upgrade would do; changes nothing',
    builder: withPlan,
    handler: (options) => runStory(environment, options, { target: true, progress: false }, plan),
  }
}
