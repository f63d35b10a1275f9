import { isatty } from 'node:tty'
import type { TerminalSize } from '../report/screen.ts'
import type { TextOptions } from '../report/wrap.ts'

/**
 * stdout can be redrawn. Not by `isTTY`: it is undefined in a pipe, and picocolors then takes the colours of CI and
 * FORCE_COLOR.
 */
export const isTerminal = isatty(process.stdout.fd) && process.env['TERM'] !== 'dumb'

/** How text for people looks on stdout. */
export const textOptions = {
  color: isTerminal && !process.env['NO_COLOR'],
  // at the time of the report: a window may be resized during a run
  get columns() {
    return (isTerminal && terminalSize().columns) || undefined
  },
} satisfies TextOptions

export function terminalSize(): TerminalSize {
  return { columns: process.stdout.columns, rows: process.stdout.rows }
}
