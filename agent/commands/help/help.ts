/** What yargs says of a command, taken apart: `--help`, completion and "did you mean" are made of it. */
export interface Help {
  /** `calico-agent rollback [RUN]` */
  usage: string
  about: string
  commands: Entry[]
  positionals: Entry[]
  options: Option[]
  /** Those of every command. */
  commonOptions: Option[]
  /** Command lines, and what each does. */
  examples: Entry[]
  more: string
}

export interface Entry {
  name: string
  about: string
}

export interface Option extends Entry {
  /** `-h` */
  short: string | null
  /** What its value is called, such as `FILE`; null for a switch. */
  value: string | null
}

/** The help of a command, by its words after the program's name: `fleet status`. */
export type HelpOf = (words: string[]) => Promise<Help>

export const COMMON_OPTIONS = 'Common options:'

/** Reads what yargs lays out without a width: an entry in each line, its columns two spaces or more apart. */
export function parseHelp(text: string): Help {
  const [usage = '', about = '', ...blocks] = text.trim().split(/\n\n+/)
  const entries = (title: string): Entry[] =>
    blocks.filter((block) => block.startsWith(`${title}\n`)).flatMap(entriesIn)
  return {
    usage: manualStyle(usage),
    about,
    commands: entries('Commands:').map(({ name, about }) => ({
      name: manualStyle(name.slice(usage.length + 1)),
      about,
    })),
    positionals: entries('Positionals:').map(({ name, about }) => ({ name: name.toUpperCase(), about })),
    options: entries('Options:').map(option),
    commonOptions: entries(COMMON_OPTIONS).map(option),
    examples: entries('Examples:'),
    more: blocks.filter((block) => !/^[A-Z][a-z ]+:\n/.test(block)).join(' '),
  }
}

export function optionsOf({ options, commonOptions }: Help): Option[] {
  return [...options, ...commonOptions]
}

/** yargs writes `<host>` and `[run]`. */
function manualStyle(usage: string): string {
  return usage.replaceAll(/<([^>]+)>|\[[^\]]+\]/g, (word, needed?: string) => (needed ?? word).toUpperCase())
}

function entriesIn(block: string): Entry[] {
  return block
    .split('\n')
    .slice(1)
    .map((line) => {
      // a third column has the type
      const [name = '', about = ''] = line.trim().split(/ {2,}/)
      return { name, about }
    })
}

/** The word in back quotes names the value, as in Go's flag package. */
function option({ name: names, about }: Entry): Option {
  const [, short = null, name = ''] = /^(?:(-\w), )?(.*)$/.exec(names) ?? []
  return { name, short, value: /`([^`]+)`/.exec(about)?.[1] ?? null, about: about.replaceAll('`', '') }
}
