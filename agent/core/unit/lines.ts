import { type Char, isBlank, strip, type Traced, textOf, trace } from './traced.ts'

/** A file by its path and its text. */
export interface UnitText {
  path: string
  text: string
}

export interface Assignment {
  section: string
  key: string
  /** Continuation lines joined, blanks at its ends stripped. */
  value: Traced
}

/** The assignments of a unit file, as systemd reads it (systemd v252: src/shared/conf-parser.c, config_parse). */
export function assignmentsOf({ path, text }: UnitText): Assignment[] {
  const found: Assignment[] = []
  let section = ''
  for (const line of logicalLines(path, text)) {
    const stripped = strip(line)
    if (stripped[0]?.c === '[') {
      section = textOf(stripped).replace(/^\[|\]$/g, '')
      continue
    }
    const equals = stripped.findIndex(({ c }) => c === '=')
    if (equals < 0) continue
    const key = textOf(strip(stripped.slice(0, equals)))
    found.push({ section, key, value: strip(stripped.slice(equals + 1)) })
  }
  return found
}

/** Lines without comments, joined where one ends in a backslash, which becomes a blank. */
function logicalLines(path: string, text: string): Traced[] {
  const lines: Traced[] = []
  let continued: Char[] | null = null
  for (const { start, end } of physicalLines(text)) {
    const line = trace(path, text, start, end)
    // also between the lines of one that is continued
    if ('#;'.includes(line.find((char) => !isBlank(char))?.c ?? ' ')) continue
    const joined: Char[] = [...(continued ?? []), ...line]
    const last = joined.at(-1)
    if (last && endsEscaped(joined)) {
      continued = [...joined.slice(0, -1), { ...last, c: ' ' }]
    } else {
      lines.push(joined)
      continued = null
    }
  }
  return continued === null ? lines : [...lines, continued]
}

function physicalLines(text: string): { start: number; end: number }[] {
  const bom = text.startsWith('\uFEFF') ? 1 : 0
  return [...text.matchAll(/([^\r\n]*)(\r\n|\r|\n|$)/g)].map(({ index, 1: line = '' }) => ({
    start: index === 0 ? bom : index,
    end: index + line.length,
  }))
}

function endsEscaped(line: Traced): boolean {
  let escaped = false
  for (const { c } of line) escaped = !escaped && c === '\\'
  return escaped
}
