import wrapAnsi from 'wrap-ansi'
import { hanging } from '../../report/wrap.ts'
import { type Entry, type Help, type Option, optionsOf } from './help.ts'

/** A title, and the commands below it, by their first words. */
export type Group = readonly [title: string, commands: readonly string[]]

/** The help as it is shown, in lines of at most `width`; the commands in these groups, where they are given. */
export function layOut(help: Help, width: number, groups?: readonly Group[]): string {
  const { usage, about, commands, positionals, options, commonOptions, examples, more } = help
  const column = columnOf(optionsOf(help).map(written))
  const tables = groups?.map(([title, names]) => [title, among(commands, names)] as const)
  const listed = tables ?? [['Commands', commands] as const]
  const commandColumn = columnOf(listed.flatMap(([, entries]) => entries))
  return [
    `Usage: ${usage}${commands.length > 0 ? ' COMMAND' : ''} [OPTIONS]`,
    wrapAnsi(sentence(about), width),
    ...listed.map(([title, entries]) => table(title, entries, commandColumn, width)),
    table('Arguments', positionals, columnOf(positionals), width),
    table('Options', options.map(written), column, width),
    table('Common options', commonOptions.map(written), column, width),
    examples.length > 0 ? ['Examples:', ...examples.map(example)].join('\n') : '',
    wrapAnsi(more, width),
  ]
    .filter((block) => block !== '')
    .join('\n\n')
}

const columnOf = (entries: Entry[]): number => Math.max(0, ...entries.map(({ name }) => name.length))

/** An overview has no room for their arguments. */
const among = (entries: Entry[], names: readonly string[]): Entry[] =>
  names.flatMap((name) => {
    const found = entries.find((entry) => entry.name.split(' ')[0] === name)
    return found ? [{ ...found, name }] : []
  })

const sentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1).replace(/\.?$/, '.')}`

function written({ name, short, value, about }: Option): Entry {
  return { name: `${name}${short === null ? '' : `, ${short}`}${value === null ? '' : ` ${value}`}`, about }
}

function table(title: string, entries: Entry[], column: number, width: number): string {
  if (entries.length === 0) return ''
  const row = ({ name, about }: Entry): string[] => hanging(`  ${name.padEnd(column)}  `, about, width)
  return [`${title}:`, ...entries.flatMap(row)].join('\n')
}

const example = ({ name, about }: Entry): string => `  # ${about}\n  ${name}`
