import type { Problem } from '../core/errors.ts'
import { type Colors, manyLines } from './text.ts'
import { hanging, hangingFix } from './wrap.ts'

/** The problem, its name for `--allow`, and the way out. */
export function problemLines(
  { code, severity, message, fix }: Problem,
  colors: Colors,
  columns: number | undefined,
): string[] {
  const paint = severity === 'error' ? colors.red : colors.yellow
  const [first = '', ...rest] = manyLines(message)
  const [fixFirst, ...fixRest] = manyLines(fix)
  return [
    ...hanging(`${paint(`${severity}:`)} `, `${first} ${colors.dim(`[${code}]`)}`, columns),
    ...rest.flatMap((line) => hanging('    ', line, columns)),
    ...(fixFirst === undefined ? [] : hangingFix('  fix: ', fixFirst, columns)),
    ...fixRest.flatMap((line) => hangingFix('       ', line, columns)),
  ]
}
