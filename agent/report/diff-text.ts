import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff'
import type { DiffEntry } from '../core/report/report.ts'
import { type Colors, oneLine } from './text.ts'

/** A unified diff, as patch(1) and people read it. */
export function diffLines({ target, before, after }: DiffEntry, colors: Colors): string[] {
  if (before === after) return []
  const patch = createTwoFilesPatch(target, target, ended(before), ended(after), 'before', 'after', {
    context: 3,
    headerOptions: FILE_HEADERS_ONLY,
  })
  return patch
    .trimEnd()
    .split('\n')
    .map((line) => painted(safe(line), colors))
}

/** The fields of a container are no file: a last line without its newline says nothing. */
function ended(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`
}

/** The indentation is part of the text. */
function safe(line: string): string {
  const indent = /^[ +-]?[ \t]*/.exec(line)?.[0] ?? ''
  return indent + oneLine(line.slice(indent.length))
}

function painted(line: string, { bold, cyan, green, red }: Colors): string {
  if (line.startsWith('--- ') || line.startsWith('+++ ')) return bold(line)
  if (line.startsWith('@@')) return cyan(line)
  if (line.startsWith('+')) return green(line)
  return line.startsWith('-') ? red(line) : line
}
