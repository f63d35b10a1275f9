import stringWidth from 'string-width'
import wrapAnsi from 'wrap-ansi'

export interface TextOptions {
  color: boolean
  /** Of the terminal; absent where there is none: what goes into a pipe or a file keeps its lines. */
  columns?: number | undefined
}

/** Less room beside a lead than this is none. */
const LEAST_ROOM = 20
const LEAST_MARGIN = 2
/** Where a text stands that has no room beside its lead. */
const BELOW = '    '

/**
 * A lead and its text, broken at spaces, its further lines under its beginning. Both may be coloured. A long word, such as
 * a digest, begins further left where only that keeps it whole.
 */
export function hanging(lead: string, text: string, columns: number | undefined): string[] {
  const indent = stringWidth(lead)
  if (columns === undefined || indent + stringWidth(text) <= columns) return [lead + text]
  const most = Math.max(indent, LEAST_MARGIN)
  const [first = '', ...rest] = wrapAnsi(text, Math.max(columns - most, LEAST_ROOM), { hard: false }).split(
    '\n',
  )
  const margin = (line: string): string =>
    ' '.repeat(Math.max(LEAST_MARGIN, Math.min(most, columns - stringWidth(line)))) + line
  const more = rest.map(margin)
  const isBelow = indent + stringWidth(first) > columns && LEAST_MARGIN + stringWidth(first) <= columns
  return isBelow
    ? [...(lead.trim() === '' ? [] : [lead.trimEnd()]), margin(first), ...more]
    : [lead + first, ...more]
}

/** The same; a command in it is not broken where it fits on a line of its own. */
export function hangingFix(lead: string, text: string, columns: number | undefined): string[] {
  if (columns === undefined) return [lead + text]
  return hanging(lead, withWholeClauses(text, columns - stringWidth(lead)), columns)
}

/** Rows with their columns aligned, two spaces apart. The last cell of a row may have several lines, or stand below. */
export function alignedRows(rows: string[][], columns?: number): string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => stringWidth(row[i] ?? ''))))
  const split = rows.map((row) => ({ lead: leadOf(row, widths), last: row.at(-1) ?? '' }))
  const whole = split.map(({ lead, last }) => (lead + last).trimEnd())
  if (columns === undefined || whole.every((line) => stringWidth(line) <= columns)) return whole
  const room = columns - stringWidth(split[0]?.lead ?? '')
  return split.flatMap(({ lead, last }) =>
    room < LEAST_ROOM ? below(lead, last, columns) : hanging(lead, last, columns),
  )
}

function leadOf(row: string[], widths: number[]): string {
  const cells = row.slice(0, -1).map((cell, i) => cell + ' '.repeat((widths[i] ?? 0) - stringWidth(cell)))
  return cells.map((cell) => `${cell}  `).join('')
}

function below(lead: string, last: string, columns: number): string[] {
  const above = lead.trim() === '' ? [] : hanging('', lead.trimEnd(), columns)
  return last === '' ? above : [...above, ...hanging(BELOW, last, columns)]
}

/** Lines that end where a clause does, as far as the clauses fit: after a colon comes a command. */
function withWholeClauses(text: string, room: number): string {
  let column = 0
  const clauses = text.split(/(?<=[:;,]) /).map((clause, i) => {
    const length = stringWidth(clause)
    const isBroken = column + 1 + length > room && length <= room
    column = isBroken ? length : column + 1 + length
    return i === 0 ? clause : `${isBroken ? '\n' : ' '}${clause}`
  })
  return clauses.join('')
}
