import { execFileSync } from 'node:child_process'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { completedName } from '../../agent/commands/completion.ts'

const main = resolve(import.meta.dirname, '../../agent/main.ts')
const agent = `'${process.execPath}' '${main}'`

/** Runs a script in a shell where `agent` is the one of these sources. */
function inShell(shell: 'bash' | 'zsh', script: string): string[] {
  const [options, env] = [shell === 'bash' ? ['--norc'] : ['--no-rcs'], { ...process.env, SHELL: shell }]
  const start = `agent() { ${agent} "$@"; }\n`
  return execFileSync(shell, [...options, '-c', start + script], { encoding: 'utf8', env })
    .split('\n')
    .filter(Boolean)
}

describe('agent completion', () => {
  it('has bash complete commands, options and their values', () => {
    const reply = (...words: string[]): string[] =>
      inShell(
        'bash',
        `source <(agent completion); COMP_WORDS=(${words.join(' ')}) COMP_CWORD=${words.length - 1}
         _agent_yargs_completions; printf '%s\\n' "\${COMPREPLY[@]}"`,
      )
    expect(reply('agent', 'up')).toEqual(['upgrade'])
    expect(reply('agent', 'upgrade', '--ch')).toEqual(['--check'])
    expect(reply('agent', 'status', '--log-level', 'w')).toEqual(['warn'])
    expect(inShell('bash', 'source <(agent completion); complete -p agent')).toEqual([
      'complete -o bashdefault -o default -F _agent_yargs_completions agent',
    ])
  })

  it('has zsh complete commands with what they do', () => {
    // _describe is what shows the values; it works inside zsh's line editor only.
    const script = `compdef() { print -- "$@"; }; _describe() { print -l -- $reply; }
      source <(agent completion); words=(agent up) CURRENT=2 _agent_yargs_completions`
    const [registered, ...values] = inShell('zsh', script)
    expect(registered).toBe('_agent_yargs_completions agent')
    expect(values).toContain('upgrade:upgrade this host to what the config or the flags name')
  })

  it.each([
    ['/usr/bin/calico-agent', 'calico-agent'],
    ['agent', 'agent'],
    ['/usr/bin/node', 'agent'],
  ])('called as %s completes %s', (argv0, name) => {
    expect(completedName(argv0)).toBe(name)
  })
})
