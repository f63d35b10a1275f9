import { counted } from '../core/counted.ts'
import { grouped } from '../core/grouped.ts'
import { refusalOf } from '../core/preflight.ts'
import type { DoctorCheck, DoctorReport } from '../core/report/doctor.ts'
import type { TextOptions } from './human.ts'
import { type Colors, colorsFor, manyLines, oneLine } from './text.ts'

type Told = DoctorCheck & { message: string; fix: string }

/** One line for each check with the rule's code last, the fix below it, and the verdict. No newline at its end. */
export function renderDoctor(report: DoctorReport, { color }: TextOptions): string {
  const colors = colorsFor(color)
  const told = grouped(
    report.checks.map((check) => ({
      ...check,
      message: check.passes ? `${check.about} (${check.seen})` : check.seen,
      fix: check.fix ?? '',
    })),
  )
  const width = Math.max(...told.map((check) => wordOf(check).length))
  return [...told.flatMap((check) => checkLines(check, width, colors)), '', verdict(report, colors)].join(
    '\n',
  )
}

function wordOf({ passes, severity }: DoctorCheck): string {
  return passes ? 'ok' : severity
}

function checkLines(check: Told, width: number, { dim, green, red, yellow }: Colors): string[] {
  const word = wordOf(check)
  const paint = check.passes ? green : check.severity === 'error' ? red : yellow
  const margin = ' '.repeat(width + 2)
  const [first = '', ...rest] = manyLines(check.message)
  const said = [`${paint(word)}${margin.slice(word.length)}${first}`, ...rest.map((line) => margin + line)]
  const fix = manyLines(check.fix).map((line, i) => `${margin}${i === 0 ? 'fix: ' : '     '}${line}`)
  return [...said.slice(0, -1), `${said.at(-1) ?? ''}  ${dim(`[${check.code}]`)}`, ...fix]
}

function verdict({ ready, target, checks }: DoctorReport, { green, red }: Colors): string {
  const failed = checks.filter(({ passes }) => !passes)
  const errors = failed.filter(({ severity }) => severity === 'error').length
  const warnings = counted(failed.length - errors, 'warning')
  if (!ready)
    return red(`the upgrade would be ${refusalOf(failed)}: ${counted(errors, 'error')}, ${warnings}`)
  const to = target === null ? '' : ` (${oneLine(target)})`
  return `${green(`the upgrade can start${to}`)}${failed.length > 0 ? `, with ${warnings}` : ''}`
}
