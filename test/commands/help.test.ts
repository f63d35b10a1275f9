import { afterEach, describe, expect, it } from 'vitest'
import { run } from './environment.ts'

afterEach(() => {
  Reflect.deleteProperty(process.stdout, 'columns')
})

async function help(columns: number, ...argv: string[]): Promise<string> {
  process.stdout.columns = columns
  return (await run([...argv, '--help'])).text
}

/** The titles and what is under each. */
const blocks = (text: string): Map<string, string[]> =>
  new Map(
    text
      .split('\n\n')
      .map((block) => block.split('\n'))
      .map(([title = '', ...lines]) => [title, lines]),
  )

describe('calico-agent --help', () => {
  it('lists each command in one line of 80, in groups, upgrade first', async () => {
    const text = await help(80)
    expect(text).toMatch(/^Usage: calico-agent COMMAND \[OPTIONS\]\n/)
    const groups = [...blocks(text)].filter(([title]) => title.endsWith(':')).slice(0, -1)
    const commands = groups.flatMap(([, lines]) =>
      lines.map((line) => /^ {2}([a-z]+) {2,}\S/.exec(line)?.[1]),
    )
    expect(groups.map(([title]) => title)).toEqual([
      'Upgrade this host:',
      'Inspect this host:',
      'Roll out to many hosts:',
      'Run and maintain the agent:',
    ])
    expect(commands[0]).toBe('upgrade')
    expect(commands).toHaveLength(14)
    expect(commands).not.toContain(undefined)
  })
})

describe.each(
  [
    'upgrade plan prefetch rollback history status doctor gc metrics completion'.split(' '),
    ['fleet', 'config'],
  ].flat(),
)('agent %s --help', (name) => {
  it.each([80, 100])('has examples, and no line beyond %i columns but theirs', async (columns) => {
    const text = await help(columns, name)
    const { examples = [], others = [] } = Object.groupBy(text.split('\n'), (line) =>
      line.startsWith('  calico-agent ') ? 'examples' : 'others',
    )
    expect(examples.length).toBeGreaterThan(0)
    expect(others.filter((line) => line.length > columns)).toEqual([])
    expect(text).not.toMatch(/\[(string|boolean|number|array|default|choices|required)\b/)
  })
})

it('names the value of each option that takes one, its own options before those of all commands', async () => {
  const all = blocks(await help(100, 'upgrade'))
  const terms = (title: string): string[] =>
    (all.get(title) ?? []).flatMap((line) => /^ {2}(-.*?) {2}/.exec(line)?.[1] ?? [])
  expect(terms('Options:')).toEqual([
    ...['--to RELEASE', '--node IMAGE', '--cni SOURCE', '--controllers IMAGE', '--only PARTS'],
    ...['--window SECONDS', '--allow RULE', '--diff', '--check', '--wait TIME'],
  ])
  expect(terms('Common options:')).toEqual([
    ...['--help, -h', '--version', '--config FILE', '--json', '--log-level LEVEL', '--state-dir DIR'],
    '--docker-socket PATH',
  ])
  expect([...all.keys()].indexOf('Options:')).toBeLessThan([...all.keys()].indexOf('Common options:'))
})

it('writes arguments as the manuals do', async () => {
  const text = await help(80, 'rollback')
  expect(text).toMatch(/^Usage: calico-agent rollback \[RUN\] \[OPTIONS\]\n/)
  expect(blocks(text).get('Arguments:')).toEqual(['  RUN  a committed run, as history lists it'])
  expect(blocks(await help(80, 'fleet')).get('Commands:')?.[1]).toMatch(/^ {2}release HOST {3}free the slot/)
})
