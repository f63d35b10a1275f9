import type { CommandModule } from 'yargs'
import { resume } from '../stories/resume.ts'
import type { Environment } from './environment.ts'
import { type CommonArgs, withCommon } from './options.ts'
import { runStory } from './run-story.ts'

export function resumeCommand(environment: Environment): CommandModule<object, CommonArgs> {
  return {
    command: 'resume',
    describe: 'finish or undo an interrupted run',
    builder: withCommon,
    handler: (options) =>
      runStory(environment, options, { target: false, withoutManifest: true, progress: true }, resume),
  }
}
