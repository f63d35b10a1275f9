import type { CommandModule } from 'yargs'
import { fetchingPlan, prefetch } from '../stories/prefetch.ts'
import type { Environment } from './environment.ts'
import { type TargetArgs, withTarget } from './options.ts'
import { runStory } from './run-story.ts'

export function prefetchCommand(
  environment: Environment,
): CommandModule<object, TargetArgs & { check: boolean }> {
  return {
    command: 'prefetch',
    describe: 'pull images and stage CNI plugins ahead of an upgrade',
    builder: (yargs) =>
      withTarget(yargs)
        .option('check', {
          type: 'boolean',
          default: false,
          describe: 'show what would be pulled and staged, and do neither',
        })
        .example('$0 prefetch --to v2.6.12', 'fetch a release before the maintenance window')
        .example('$0 prefetch --check', 'see what would be fetched for the config'),
    handler: (options) =>
      runStory(
        environment,
        options,
        { target: true, progress: !options.check },
        options.check ? fetchingPlan : prefetch,
      ),
  }
}
