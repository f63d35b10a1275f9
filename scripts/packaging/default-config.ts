import { parse, stringify } from 'yaml'
import { blocks, rows, section } from '../../test/docs/markdown.ts'
import { plainText, wrap } from './text.ts'

/**
 * Keys that are not comments: the agent refuses a file of only comments as empty, and a newly installed service
 * must not apply a changed config by itself until someone allows it.
 */
const SET: Record<string, string> = { apply: 'manual', window: '90' }

const head = `What this host should run. The agent changes nothing until you name a component here. A line such as
"#settle: 10" shows a key with its default, or an example if it has no default.`

interface Key {
  path: string[]
  /** YAML on one line. */
  value: string
  type: string
  meaning: string
}

/** agent.yaml with every key of docs/configuration.md, which tests hold to the schema, as a comment. */
export function defaultConfig(configuration: string): string {
  const keys = documentedKeys(configuration)
  const lines = wrap(head, '# ')
  let before: string[] = []
  for (const key of keys) {
    if (before[0] !== key.path[0]) lines.push('')
    lines.push(...openedSections(before, key.path), ...keyLines(key))
    before = key.path
  }
  return `${lines.join('\n')}\n`
}

/** The sections of a key that the key before it is not in. */
const openedSections = (before: string[], path: string[]): string[] =>
  path
    .slice(0, -1)
    .map((name, depth) => ({ name, depth }))
    .filter(({ depth }) => before.slice(0, depth + 1).join('.') !== path.slice(0, depth + 1).join('.'))
    .map(({ name, depth }) => `#${'  '.repeat(depth)}${name}:`)

function keyLines({ path, value, type, meaning }: Key): string[] {
  const indent = '  '.repeat(path.length - 1)
  const set = SET[path.join('.')]
  const line = `${indent}${path.at(-1) ?? ''}: ${set ?? value}`
  return [...wrap(`${meaning} (${type})`, '# '), set === undefined ? `#${line}` : line]
}

/** The keys in the order of the table, grouped by section. */
function documentedKeys(configuration: string): Key[] {
  const examples = blocks(section(configuration, '## A full example'), 'yaml').map(
    (block) => parse(block) as unknown,
  )
  const keys = rows(section(configuration, '## Keys')).map(
    ([key = '', type = '', value = '', meaning = '']) => {
      // where the operator names the keys, one example shows them all
      const path = plainText(key)
        .replace(/\.RELEASE\..*$/, '')
        .split('.')
      const shown = value === '-' ? inline(exampleOf(examples, path)) : plainText(value)
      return { path, value: shown, type: plainText(type), meaning: plainText(meaning) }
    },
  )
  const tops = [...new Set(keys.map(({ path }) => path[0]))]
  const once = keys.filter(
    (key, i) => keys.findIndex(({ path }) => path.join('.') === key.path.join('.')) === i,
  )
  return tops.flatMap((top) => once.filter(({ path }) => path[0] === top))
}

/** Some keys exclude each other, and have separate examples. */
const exampleOf = (examples: unknown[], path: string[]): unknown =>
  examples.map((example) => at(example, path)).find((value) => value !== undefined)

const at = (value: unknown, path: string[]): unknown =>
  path.reduce((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], value)

const inline = (value: unknown): string => stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trim()
