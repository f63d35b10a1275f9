import type { CommandModule } from 'yargs'
import { prefetch } from '../stories/upgrade.ts'
import type { Environment } from './environment.ts'
import { type TargetArgs, withTarget } from './options.ts'
import { runStory } from './run-story.ts'

export function prefetchCommand(environment: Environment): CommandModule<object, TargetArgs> {
  return {
    command: 'prefetch',
    describe: 'pull images and stage CNI plugins ahead of an upgrade; touches nothing that is running',
    builder: withTarget,
    handler: (options) => runStory(environment, options, { target: true, progress: true }, prefetch),
  }
}
