import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'

const main = resolve(import.meta.dirname, '../../agent/main.ts')

/**
 * Ctrl-G shows the line between signs that no prompt has. Ctrl-T empties it: Ctrl-U would be the terminal's own as long as
 * no prompt is there.
 */
const SHELLS = {
  bash: {
    argv: 'bash --norc --noprofile -i',
    setup: `bind -x '"\\C-g": echo "<<$READLINE_LINE>>"'; bind '"\\C-t": kill-whole-line'`,
  },
  zsh: {
    argv: 'zsh -f -i',
    setup: `autoload -Uz compinit; compinit -u -D
      show() { print -r -- "<<$BUFFER>>" }; zle -N show; bindkey '^G' show; bindkey '^T' kill-whole-line`,
  },
}

/** Puts the agent of these sources in a directory, by both of its names. */
export async function installAgent(directory: string): Promise<void> {
  for (const name of ['agent', 'calico-agent']) {
    await writeFile(join(directory, name), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`)
    await chmod(join(directory, name), 0o755)
  }
}

/** What an interactive shell on a terminal makes of each line, after a tab. The agent is looked for in `directory` first. */
export async function afterTab(
  shell: keyof typeof SHELLS,
  directory: string,
  lines: string[],
): Promise<string[]> {
  const { argv, setup } = SHELLS[shell]
  const rc = join(directory, `${shell}rc`)
  await writeFile(rc, `${setup}\nsource <(calico-agent completion ${shell})\necho "<<ready>>"\n`)
  const env = { ...process.env, PATH: `${directory}:${process.env['PATH'] ?? ''}`, TERM: 'dumb' }
  const terminal = spawn('script', ['-qfc', argv, '/dev/null'], { cwd: directory, env })
  let output = ''
  let told = (): void => undefined
  terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    told()
  })
  const shown = async (count: number): Promise<string[]> => {
    for (;;) {
      const found = [...output.matchAll(/<<(.*?)>>/g)].map(([, line = '']) => line)
      if (found.length >= count) return found
      await new Promise<void>((resolve) => (told = resolve))
    }
  }
  terminal.stdin.write(`source ${rc}\n`)
  for (const [i, line] of lines.entries()) {
    await shown(i + 1)
    terminal.stdin.write(`\x14${line}\t\x07`)
  }
  const [, ...completed] = await shown(lines.length + 1)
  terminal.stdin.end('\x14exit\n')
  await once(terminal, 'exit')
  return completed
}
