import { beforeDashes } from './before-dashes.ts'
import { UsageError } from './usage-error.ts'

/**
 * What the parser would misread: it reads every value of a switch except `true` as no, turns an option that is given
 * twice into a list, and words for a number into NaN; what follows `--` reaches no command.
 * @throws UsageError
 */
export function refuseMisuse(argv: string[], parsed: Record<string, unknown>): void {
  const rest = argv.slice(beforeDashes(argv).length + 1)
  if (rest.length > 0) throw new UsageError(`nothing may follow --: ${rest.join(' ')}`)
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

const SWITCHES = ['json', 'diff', 'check', 'watch', 'help', 'version']
const REPEATABLE = ['allow']

const WRONG_CHOICE = /^Invalid values:\s+Argument: (\S+), Given: (.*), Choices: (.*)$/

/** A wrong choice takes yargs several lines. */
export function inWords(message: string): string {
  const [, name, given, choices] = WRONG_CHOICE.exec(message) ?? []
  return name === undefined ? message : `${name} cannot be ${given ?? ''}: it is one of ${choices ?? ''}`
}
