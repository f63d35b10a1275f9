import { basename } from 'node:path'
import type { CommandModule } from 'yargs'
import type { Environment } from '../environment.ts'
import { SCRIPTS } from './scripts.ts'

type Shell = keyof typeof SCRIPTS

export function completionCommand({
  print,
}: Environment): CommandModule<object, { shell: Shell | undefined }> {
  return {
    command: 'completion [shell]',
    describe: 'print the shell completion script for bash or zsh',
    builder: (yargs) =>
      yargs
        .positional('shell', {
          choices: ['bash', 'zsh'] as const,
          describe: 'bash or zsh; the one that the variable SHELL names, or else bash',
        })
        .example('source <($0 completion bash)', 'complete in this bash alone')
        .example(
          '$0 completion zsh > /usr/local/share/zsh/site-functions/_calico-agent',
          'complete in every zsh; the package does so already',
        ),
    handler: ({ shell }) => {
      print(SCRIPTS[shell ?? (basename(process.env['SHELL'] ?? '') === 'zsh' ? 'zsh' : 'bash')])
    },
  }
}
