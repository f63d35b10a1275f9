import type { CommandModule } from 'yargs'
import { rollback, rollbackPlan } from '../stories/rollback/rollback.ts'
import type { Environment } from './environment.ts'
import { type RollbackArgs, withRollback } from './options.ts'
import { runStory } from './run-story.ts'

export function rollbackCommand(environment: Environment): CommandModule<object, RollbackArgs> {
  return {
    command: 'rollback [run]',
    describe: 'put back what the last committed run, or RUN, replaced',
    builder: (yargs) =>
      withRollback(yargs)
        .example('$0 rollback --check', 'see what would be put back')
        .example('$0 rollback', 'put back what the last committed run replaced')
        .example('$0 rollback 20261122T141503Z-7f3a', 'put back what this run replaced'),
    handler: (options) =>
      runStory(
        environment,
        options,
        { target: false, withoutManifest: true, progress: !options.check },
        (app, wanted) => (options.check ? rollbackPlan : rollback)(app, wanted, options.run),
      ),
  }
}
