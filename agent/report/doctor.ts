import { counted } from '../core/counted.ts'
import { grouped } from '../core/grouped.ts'
import { refusalOf } from '../core/preflight.ts'
import type { DoctorCheck, DoctorReport } from '../core/report/doctor.ts'
import type { TextOptions } from './human.ts'
import { alignedRows } from './table.ts'
import { type Colors, colorsFor, manyLines, oneLine } from './text.ts'

/** One line for each check, with what mends it below, and the verdict. No newline at its end. */
export function renderDoctor(report: DoctorReport, { color }: TextOptions): string {
  const colors = colorsFor(color)
  const told = grouped(
    report.checks.map((check) => ({ ...check, message: check.seen, fix: check.fix ?? '' })),
  )
  const rows = told.flatMap((check) => checkRows({ ...check, seen: check.message }, colors))
  return [...alignedRows(rows), '', verdict(report, colors)].join('\n')
}

function checkRows({ code, severity, passes, seen, fix }: DoctorCheck, { green, red, yellow }: Colors) {
  const paint = severity === 'error' ? red : yellow
  const [first = '', ...rest] = manyLines(seen)
  const [fixFirst, ...fixRest] = manyLines(fix ?? '')
  return [
    [passes ? green('ok') : paint(severity), code, first],
    ...rest.map((line) => ['', '', line]),
    ...(fixFirst === undefined ? [] : [['', '', `fix: ${fixFirst}`]]),
    ...fixRest.map((line) => ['', '', `     ${line}`]),
  ]
}

function verdict({ ready, target, checks }: DoctorReport, { green, red }: Colors): string {
  const failed = checks.filter(({ passes }) => !passes)
  const errors = failed.filter(({ severity }) => severity === 'error').length
  const warnings = counted(failed.length - errors, 'warning')
  if (!ready) return red(`an upgrade would be ${refusalOf(failed)}: ${counted(errors, 'error')}, ${warnings}`)
  const upgrade = target === null ? 'an upgrade' : `an upgrade to ${oneLine(target)}`
  return `${green(`nothing stands against ${upgrade}`)}${failed.length > 0 ? `: ${warnings}` : ''}`
}
