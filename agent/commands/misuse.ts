import { UsageError } from './usage-error.ts'

/**
 * What the parser would take in another sense than it was meant: it reads each value of a switch but `true` as no, makes
 * a list of an option that is given twice, and no number of words.
 * @throws UsageError
 */
export function refuseMisuse(argv: string[], parsed: Record<string, unknown>): void {
  for (const word of argv) {
    const [, name = '', value] = /^--([a-z-]+)=(.*)$/.exec(word) ?? []
    if (SWITCHES.includes(name) && value !== 'true' && value !== 'false')
      throw new UsageError(`--${name} takes no value: ${word}`)
  }
  for (const [name, value] of Object.entries(parsed)) {
    if (name === '_' || REPEATABLE.includes(name)) continue
    if (Array.isArray(value)) throw new UsageError(`--${name} was given more than once`)
    if (value === '') throw new UsageError(`--${name} needs a value`)
    if (Number.isNaN(value)) throw new UsageError(`--${name} needs a number`)
  }
}

const SWITCHES = ['json', 'diff', 'check', 'help', 'version']
const REPEATABLE = ['allow']

/** An argument too many is no command to yargs, not even behind one. */
export function inWords(message: string, argv: string[]): string {
  const word = /^Unknown command: (.*)$/.exec(message)?.[1]
  const isCommand = word === undefined || word === argv.find((one) => !one.startsWith('-'))
  return isCommand ? message : `Unexpected argument: ${word}`
}
