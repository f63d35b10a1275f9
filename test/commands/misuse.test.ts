import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { runCli } from '../../agent/commands/cli.ts'
import type { Environment } from '../../agent/commands/environment.ts'
import { inWords } from '../../agent/commands/misuse.ts'

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
  const exits: number[] = []
  const began = () => Promise.reject(new Error('it began'))
  const environment: Environment = {
    version: 'test',
    loadConfig: began,
    open: began,
    log: () => {
      throw new Error('it began')
    },
    print: () => undefined,
    readConfigFile: () => Promise.resolve(undefined),
    figures: () => () => Promise.reject(new Error('it counts nothing')),
    writeFile: began,
    stopSignal: () => new AbortController().signal,
    terminal: () => null,
    text: { color: false },
    exit: (code) => exits.push(code),
  }
  await runCli(argv, environment)
  expect({ argv, exits }).toEqual({ argv, exits: [2] })
  return said.split('\n')[0] ?? ''
}

describe('a command line that is refused', () => {
  it.each([
    [['upgrade', '--check=1'], '--check takes no value'],
    [['plan', '--diff=yes'], '--diff takes no value'],
    [['status', '--json=True'], '--json takes no value'],
    [['status', '--no-json'], 'Unknown argument'],
    [['plan', '--node', 'a', '--node', 'b'], '--node was given more than once'],
    [['status', '--config', 'a', '--config', 'b'], '--config was given more than once'],
    [['status', '--log-level', 'info', '--log-level', 'debug'], '--log-level was given more than once'],
    [['status', '--state-dir='], '--state-dir needs a value'],
    [['plan', '--window', 'abc'], '--window needs a number'],
    [['plan', '--no-allow'], 'Unknown argument'],
    [['plan', '--allow.x=1'], 'Unknown argument'],
    [['status', '--no-state-dir'], 'Unknown argument'],
    [['rollback', '--no-run'], 'Unknown argument'],
    [['status', 'extra'], 'Unexpected argument: extra'],
    [['rollback', 'a', 'b'], 'Unexpected argument: b'],
    [['stauts'], 'Unknown command: stauts'],
  ] as const)('%j: %s', async (argv, message) => {
    expect(await usageError(...argv)).toContain(message)
  })
})

it('tells a wrong choice in one line', () => {
  const message = 'Invalid values:\n  Argument: log-level, Given: "loud", Choices: "debug", "info"'
  expect(inWords(message, ['status', '--log-level', 'loud'])).toBe(
    'log-level cannot be "loud": it is one of "debug", "info"',
  )
})
