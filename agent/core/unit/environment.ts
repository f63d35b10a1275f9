import { valueWords } from './exec-words.ts'
import { expandSpecifiers, type Variables } from './expand.ts'
import type { Assignment, UnitText } from './lines.ts'
import { type Char, isBlank, type Traced, textOf, trace } from './traced.ts'

/**
 * The variables of a unit: what `Environment=` sets, overridden by the environment files, in their order
 * (systemd.exec(5)).
 */
export function unitVariables(
  service: Assignment[],
  environmentFiles: UnitText[],
  specifiers: ReadonlyMap<string, string>,
): Variables {
  const variables = new Map<string, Traced>()
  for (const { key, value } of service) {
    if (key !== 'Environment') continue
    if (value.length === 0) variables.clear()
    for (const word of valueWords(value) ?? []) set(variables, expandSpecifiers(word, specifiers))
  }
  for (const file of environmentFiles) for (const line of environmentLines(file)) set(variables, line)
  return variables
}

function set(variables: Map<string, Traced>, assignment: Traced): void {
  const equals = assignment.findIndex(({ c }) => c === '=')
  const name = textOf(assignment.slice(0, Math.max(equals, 0)))
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) variables.set(name, assignment.slice(equals + 1))
}

/** The `NAME=value` of an environment file, without quotes and escapes (src/basic/env-file.c). */
function environmentLines({ path, text }: UnitText): Traced[] {
  const chars = trace(path, text)
  const lines: Traced[] = []
  let at = 0
  while (at < chars.length) {
    while (isBlank(chars[at])) at += 1
    const comment = '#;'.includes(chars[at]?.c ?? ' ')
    const { line, next } = comment ? skipComment(chars, at) : readLine(chars, at)
    if (line.length > 0) lines.push(line)
    at = next
  }
  return lines
}

interface ReadLine {
  line: Traced
  next: number
}

/** A comment continues if its line ends in a backslash. */
function skipComment(chars: Traced, from: number): ReadLine {
  let at = from
  while (at < chars.length && !isNewline(chars[at])) at += chars[at]?.c === '\\' ? 2 : 1
  return { line: [], next: at + 1 }
}

function readLine(chars: Traced, from: number): ReadLine {
  const line: Char[] = []
  let at = from
  let quote = ''
  /** Blanks at the end count only if they were quoted or escaped. */
  let keep = 0
  while (at < chars.length) {
    const char = chars[at] as Char
    const inValue = line.some(({ c }) => c === '=')
    if (quote === '' && isNewline(char)) break
    if (quote !== "'" && char.c === '\\' && inValue) {
      line.push(...escaped(char, chars[at + 1], quote))
      keep = line.length
      at += 2
      continue
    }
    if (char.c === quote) quote = ''
    else if (quote === '' && inValue && (char.c === '"' || char.c === "'")) quote = char.c
    else if (!(isBlank(char) && quote === '' && endsInEquals(line))) line.push(char)
    if (quote !== '' || !isBlank(char)) keep = line.length
    at += 1
  }
  return { line: withoutBlanksInName(line.slice(0, keep)), next: at + 1 }
}

function escaped(backslash: Char, next: Char | undefined, quote: string): Char[] {
  if (next === undefined || next.c === '\n') return []
  const taken = quote === '' || '"\\`$'.includes(next.c)
  const off = { file: null, at: 0 }
  return taken
    ? [{ c: next.c, ...off }]
    : [
        { c: backslash.c, ...off },
        { c: next.c, ...off },
      ]
}

function endsInEquals(line: Traced): boolean {
  return line.at(-1)?.c === '=' && line.filter(({ c }) => c === '=').length === 1
}

/** Blanks around the name are dropped. */
function withoutBlanksInName(line: Traced): Traced {
  const equals = line.findIndex(({ c }) => c === '=')
  return equals < 0 ? [] : line.filter((char, i) => i > equals || !isBlank(char))
}

function isNewline(char: Char | undefined): boolean {
  return char?.c === '\n' || char?.c === '\r'
}
