import { redactAssignments } from '../redact/redact.ts'
import { environmentOf, execLines, type UnitSource } from './commands.ts'
import type { Variables } from './expand.ts'
import type { UnitText } from './lines.ts'
import { shellCommands } from './shell-words.ts'
import { textOf, trace, untraced } from './traced.ts'

/** A command, with the line that contains it: `KEY=...` of a unit, `PATH: ...` of a script. */
export interface Command {
  line: string
  words: string[]
}

/** Of a unit, and of the scripts that it names. */
export function commandsIn(source: UnitSource): Command[] {
  const own = execLines(source).flatMap(({ key, value, commands }) =>
    commands.map((words) => ({
      line: `${key}=${textOf(value)}`,
      words: words.map(({ text }) => textOf(text)),
    })),
  )
  const variables = environmentOf(source)
  const scripts = (source.scripts ?? []).flatMap((script) => scriptCommands(script, variables))
  return [...own, ...scripts]
}

/** What comes before the command in the files of supervisord and monit. */
const SUPERVISED = /^(command|start program)\s*=\s*"?/

/** A handwritten line is shorter; parsing a longer one would take seconds. */
const LONGEST_LINE = 4096

/** One command per line, as in a shell; what the shell computes is not known. */
export function scriptCommands({ path, text }: UnitText, variables: Variables): Command[] {
  if (/\.ya?ml$/.test(path)) return []
  const known = new Map(variables)
  const lines = text.replaceAll(/\\\r?\n/g, ' ').split(/\r?\n/)
  return lines.flatMap((line) => {
    const written = line.trim()
    if (written === '' || written.startsWith('#') || written.length > LONGEST_LINE) return []
    const set = /^(?:export\s+|readonly\s+|local\s+)?([A-Za-z_]\w*)=(["']?)([^"'`$;&|]*)\2\s*$/.exec(written)
    if (set) known.set(set[1] ?? '', untraced(set[3] ?? ''))
    const command = written.replace(SUPERVISED, '')
    const commands = shellCommands(trace(path, command), known)
    const words = commands?.map((command) => command.map((word) => textOf(word.text)))
    return (words ?? [command.split(/[\s"']+/)]).map((each) => ({ line: `${path}: ${written}`, words: each }))
  })
}

const SHOWN = 200

export function shown(line: string): string {
  const text = redactAssignments(line.replaceAll(/\s+/g, ' ')).trim()
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}...` : text
}
