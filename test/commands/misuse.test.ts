import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { inWords } from '../../agent/commands/misuse.ts'
import { run } from './environment.ts'

let said = ''

beforeEach(() => {
  said = ''
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said += String(text)
    return true
  })
})

afterEach(() => {
  vi.restoreAllMocks()
})

/** The first line of stderr, once the agent has said that it was used badly and nothing was opened. */
async function usageError(...argv: string[]): Promise<string> {
  expect({ argv, ...(await run(argv)) }).toMatchObject({ argv, code: 2 })
  return said.split('\n')[0] ?? ''
}

describe('a command line that is refused', () => {
  it.each([
    [['upgrade', '--check=1'], '--check takes no value'],
    [['plan', '--diff=yes'], '--diff takes no value'],
    [['status', '--json=True'], '--json takes no value'],
    [['status', '--no-json'], 'Unknown option'],
    [['plan', '--node', 'a', '--node', 'b'], '--node was given more than once'],
    [['status', '--config', 'a', '--config', 'b'], '--config was given more than once'],
    [['status', '--log-level', 'info', '--log-level', 'debug'], '--log-level was given more than once'],
    [['status', '--state-dir='], '--state-dir needs a value'],
    [['plan', '--window', 'abc'], '--window needs a number'],
    [['plan', '--no-allow'], 'Unknown option'],
    [['plan', '--allow.x=1'], 'Unknown option'],
    [['status', '--no-state-dir'], 'Unknown option'],
    [['rollback', '--no-run'], 'Unknown option'],
    [['status', 'extra'], 'Unexpected argument: extra'],
    [['rollback', 'a', 'b'], 'Unexpected argument: b'],
    [['upgrade', '--', 'extra'], 'nothing may follow --: extra'],
    [['fleet', 'halt', '--', '-x'], 'nothing may follow --: -x'],
    [['stauts'], 'Unknown command: stauts'],
    [[], 'name a command'],
    [['--json', 'status'], 'name the command before its options'],
    [['fleet'], 'name what to do: fleet status'],
    [['config'], 'name what to do: config check'],
  ] as const)('%j: %s', async (argv, message) => {
    expect(await usageError(...argv)).toContain(message)
  })
})

describe('the known word that is like an unknown one', () => {
  it.each([
    [['upgarde'], 'Unknown command: upgarde; did you mean upgrade?'],
    [['plna'], 'Unknown command: plna; did you mean plan?'],
    [['fleet', 'stauts'], 'Unknown command: stauts; did you mean status?'],
    [['config', 'chekc', 'agent.yaml'], 'Unknown command: chekc; did you mean check?'],
    [['plan', '--windw', '60'], 'Unknown option: --windw; did you mean --window?'],
    [['plan', '--windw=60'], 'Unknown option: --windw; did you mean --window?'],
    [
      ['upgrade', '--zzz', '--stat-dir', 'x'],
      'Unknown options: --zzz, --stat-dir; did you mean --state-dir?',
    ],
    [['fleet', 'status', '--wtch'], 'Unknown option: --wtch; did you mean --watch?'],
    [['--jsn', 'status'], 'Unknown option: --jsn; did you mean --json?'],
    [['config', '--jsn', 'check'], 'Unknown option: --jsn; did you mean --json?'],
  ])('%j: %s', async (argv, message) => {
    expect(await usageError(...argv)).toBe(`calico-agent: ${message}`)
  })

  it.each([
    [['xy'], 'Unknown command: xy'],
    [['fleet', 'destroy'], 'Unknown command: destroy'],
    [['plan', '--zzzzzz'], 'Unknown option: --zzzzzz'],
    [['plan', '-x'], 'Unknown option: -x'],
    [['status', 'upgarde'], 'Unexpected argument: upgarde'],
  ])('is not named where none is near: %j', async (argv, message) => {
    expect(await usageError(...argv)).toBe(`calico-agent: ${message}`)
  })
})

it('tells a wrong choice in one line', () => {
  const message = 'Invalid values:\n  Argument: log-level, Given: "loud", Choices: "debug", "info"'
  expect(inWords(message)).toBe('log-level cannot be "loud": it is one of "debug", "info"')
})
