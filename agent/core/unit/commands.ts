import { unitVariables } from './environment.ts'
import { execCommands } from './exec-words.ts'
import { type Argument, expandArguments, expandSpecifiers, specifiersOf, type Variables } from './expand.ts'
import { type Assignment, assignmentsOf, type UnitText } from './lines.ts'
import { behindEnv, shellCommands } from './shell-words.ts'
import { type Traced, textOf } from './traced.ts'

/** A unit as systemd reads it: the main file, then the drop-ins; the environment files apart. */
export interface UnitSource {
  name: string
  fragments: UnitText[]
  environmentFiles: UnitText[]
  /** Files that its commands name: scripts, and what docker-compose is given. */
  scripts?: UnitText[]
}

/** systemd.service(5): everything that a service runs. */
export const EXEC_KEYS = [
  ...['ExecCondition', 'ExecStartPre', 'ExecStart', 'ExecStartPost'],
  ...['ExecReload', 'ExecStop', 'ExecStopPost'],
] as const

/** An effective `Exec...=` line. */
export interface ExecLine {
  key: string
  value: Traced
  /** Its commands, variables expanded; for `sh -c`, those of the script. */
  commands: Argument[][]
}

export function execLines(source: UnitSource, keys: readonly string[] = EXEC_KEYS): ExecLine[] {
  const specifiers = specifiersOf(source.name)
  const service = serviceOf(source)
  const variables = unitVariables(service, source.environmentFiles, specifiers)
  return keys.flatMap((key) =>
    inForce(service, key).map((value) => ({
      key,
      value,
      commands: argumentLists(value, specifiers, variables),
    })),
  )
}

/** What the unit's processes find in their environment. */
export function environmentOf(source: UnitSource): Variables {
  return unitVariables(serviceOf(source), source.environmentFiles, specifiersOf(source.name))
}

/** The last value of a setting that has one; empty where there is none. */
export function settingOf(source: UnitSource, key: string): string {
  const last = serviceOf(source).findLast((assignment) => assignment.key === key)
  return last === undefined ? '' : textOf(last.value)
}

function serviceOf({ fragments }: UnitSource): Assignment[] {
  return fragments.flatMap(assignmentsOf).filter(({ section }) => section === 'Service')
}

function inForce(service: Assignment[], key: string): Traced[] {
  const values = service.filter((assignment) => assignment.key === key).map(({ value }) => value)
  return values.slice(values.findLastIndex((value) => value.length === 0) + 1)
}

function argumentLists(
  value: Traced,
  specifiers: ReadonlyMap<string, string>,
  variables: Variables,
): Argument[][] {
  return (execCommands(value) ?? []).flatMap(({ prefix, words: raw }) => {
    const words = raw.map((word) => expandSpecifiers(word, specifiers))
    const script = shellScript(words)
    if (script !== null) return shellCommands(script, variables) ?? []
    // `:` switches variables off
    if (prefix.includes(':')) return [behindEnv(words.map((word) => ({ text: word, written: word })))]
    return [behindEnv(expandArguments(words, variables))]
  })
}

/** What `sh -c` is given; null where the program is no shell. */
function shellScript(words: Traced[]): Traced | null {
  const [program = '', ...options] = words.map(textOf)
  const at = options.findIndex((option) => /^-[a-z]*c$/.test(option))
  return /(^|\/)(ba|da|a)?sh$/.test(program) && at >= 0 ? (words[at + 2] ?? null) : null
}
