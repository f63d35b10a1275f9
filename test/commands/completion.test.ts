import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { COMPLETE, SCRIPTS } from '../../agent/commands/completion/scripts.ts'
import { run } from './environment.ts'
import { afterTab, installAgent } from './shells.ts'

const pastRuns = [
  { name: 'run-3', about: 'upgrade, rolled-back', isCommitted: false },
  { name: 'run-2', about: 'upgrade, upgraded', isCommitted: true },
]

/** The candidates for the last word, each with what it is. */
async function candidates(...words: string[]): Promise<Map<string, string>> {
  const { text } = await run([COMPLETE, ...words], {
    pastRuns: (stateDir) => Promise.resolve(stateDir === '/var/lib/calico-agent' ? pastRuns : []),
  })
  return new Map(
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split('\t'))
      .map(([name = '', about = '']) => [name, about]),
  )
}

const names = async (...words: string[]): Promise<string[]> => [...(await candidates(...words)).keys()]

describe('the candidates', () => {
  it('are the commands, each with what it does', async () => {
    const all = await candidates('')
    expect(all.get('upgrade')).toBe('upgrade this host to what the config or the flags name')
    expect([...all.keys()]).toContain('completion')
    expect(await names('fleet', '')).toEqual(['status', 'release', 'halt', 'resume'])
    expect(await names('config', 'c')).toEqual(['check', 'show'])
  })

  it('are the options that are not given yet, and --allow as often as it is wanted', async () => {
    const options = await names('upgrade', '--check', '--allow', 'peer-down', '--')
    expect(options).toEqual(expect.arrayContaining(['--window', '--allow', '--help']))
    expect(options).not.toContain('--check')
    expect(await names('plan', '')).toContain('--to')
  })

  it.each([
    [
      ['upgrade', '--only', ''],
      ['node', 'cni', 'cni-config', 'config-map', 'controllers'],
    ],
    [
      ['upgrade', '--only', 'cni,no'],
      ['cni,node', 'cni,cni-config', 'cni,config-map', 'cni,controllers'],
    ],
    [
      ['upgrade', '--only='],
      ['node', 'cni', 'cni-config', 'config-map', 'controllers'],
    ],
    [
      ['status', '--log-level', ''],
      ['debug', 'info', 'warn', 'error', 'silent'],
    ],
    [
      ['status', '--log-level', '=', 'w'],
      ['debug', 'info', 'warn', 'error', 'silent'],
    ],
    [
      ['status', '--log-level', '='],
      ['debug', 'info', 'warn', 'error', 'silent'],
    ],
    [
      ['completion', ''],
      ['bash', 'zsh'],
    ],
    [
      ['history', ''],
      ['run-3', 'run-2'],
    ],
    [['rollback', ''], ['run-2']],
    [['rollback', '--window', '60', ''], ['run-2']],
    [['rollback', '--state-dir', '/elsewhere', ''], []],
    [['upgrade', '--config', ''], [':files']],
    [['upgrade', '--cni', ''], [':files']],
    [['config', 'check', ''], [':files']],
    [['upgrade', '--state-dir', ''], [':directories']],
    [['upgrade', '--node', ''], []],
    [['upgarde', ''], []],
  ])('after %j are %j', async (words, expected) => {
    expect(await names(...words)).toEqual(expected)
  })

  it('are the rules that --allow overrides, and the releases of the table', async () => {
    expect(await names('upgrade', '--allow', '')).toEqual(
      expect.arrayContaining(['peer-not-restart-aware', 'downgrade']),
    )
    expect(await names('upgrade', '--allow', '')).not.toContain('container-missing')
    const releases = await names('plan', '--to', '')
    expect(releases[0]).toBe('v2.0.2')
    expect(releases.at(-1)).toBe('v3.0.10')
  })
})

describe('calico-agent completion', () => {
  const printed = async (...argv: string[]): Promise<string> => (await run(['completion', ...argv])).text

  it('prints the script of the shell that is named, or else of SHELL', async () => {
    vi.stubEnv('SHELL', '/usr/bin/zsh')
    expect(await printed()).toBe(SCRIPTS.zsh)
    expect(await printed('bash')).toBe(SCRIPTS.bash)
    vi.stubEnv('SHELL', '/usr/bin/fish')
    expect(await printed()).toBe(SCRIPTS.bash)
    vi.unstubAllEnvs()
  })
})

describe.each(['bash', 'zsh'] as const)('%s', { concurrent: true }, (shell) => {
  let directory: string
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'calico-agent-completion-'))
    await installAgent(directory)
    await mkdir(join(directory, 'state/runs'), { recursive: true })
    await writeFile(join(directory, 'wanted.yaml'), '')
  })
  afterAll(() => rm(directory, { recursive: true }))

  it('completes a line of either name', async ({ expect }) => {
    const lines = {
      'agent upg': 'agent upgrade ',
      'calico-agent fleet rel': 'calico-agent fleet release ',
      'agent upgrade --only=node,cont': 'agent upgrade --only=node,controllers ',
      'agent status --log-level=w': 'agent status --log-level=warn ',
      'agent plan --config wan': 'agent plan --config wanted.yaml ',
      'agent plan --config=wan': 'agent plan --config=wanted.yaml ',
      'agent plan --state-dir sta': 'agent plan --state-dir state/',
      'agent plan --node wan': 'agent plan --node wan',
    }
    expect(await afterTab(shell, directory, Object.keys(lines))).toEqual(Object.values(lines))
  })
})
