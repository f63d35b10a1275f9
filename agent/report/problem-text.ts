import type { Problem } from '../core/errors.ts'
import { type Colors, manyLines } from './text.ts'

/** The problem, its name for `--allow`, and the way out. */
export function problemLines({ code, severity, message, fix }: Problem, colors: Colors): string[] {
  const paint = severity === 'error' ? colors.red : colors.yellow
  const [first = '', ...rest] = manyLines(message)
  const [fixFirst, ...fixRest] = manyLines(fix)
  return [
    `${paint(`${severity}:`)} ${first} ${colors.dim(`[${code}]`)}`,
    ...rest.map((line) => `    ${line}`),
    ...(fixFirst === undefined ? [] : [`  fix: ${fixFirst}`]),
    ...fixRest.map((line) => `       ${line}`),
  ]
}
