import { basename } from 'node:path'
import type { Argv, CommandModule } from 'yargs'

/** The names that the agent is installed as; a shell completes each by a script of its own. */
const NAMES = ['agent', 'calico-agent']

/** yargs' own script for the shell that SHELL names: zsh, or else bash. */
export function completionCommand(parser: () => Argv): CommandModule {
  return {
    command: 'completion',
    describe: 'print the shell completion script for bash or zsh',
    handler: () => {
      parser().scriptName(completedName(process.argv0)).showCompletionScript()
    },
  }
}

/** A call as `calico-agent` completes `calico-agent`. */
export function completedName(argv0: string): string {
  const name = basename(argv0)
  return NAMES.includes(name) ? name : 'agent'
}
