import { counted } from '../core/counted.ts'
import { grouped } from '../core/grouped.ts'
import { refusalOf } from '../core/preflight.ts'
import type { DoctorCheck, DoctorReport } from '../core/report/doctor.ts'
import { type Colors, colorsFor, manyLines, oneLine } from './text.ts'
import { hanging, hangingFix, type TextOptions } from './wrap.ts'

type Told = DoctorCheck & { message: string; fix: string }

/** One line for each check with the rule's code last, the fix below it, and the verdict. No newline at its end. */
export function renderDoctor(report: DoctorReport, { color, columns }: TextOptions): string {
  const colors = colorsFor(color)
  const told = grouped(
    report.checks.map((check) => ({
      ...check,
      message: check.passes ? passed(check) : check.seen,
      fix: check.fix ?? '',
    })),
  )
  const width = Math.max(...told.map((check) => wordOf(check).length))
  return [
    ...told.flatMap((check) => checkLines(check, { width, columns }, colors)),
    '',
    verdict(report, colors),
  ].join('\n')
}

function passed({ about, seen }: DoctorCheck): string {
  return seen === '' ? about : `${about} (${seen})`
}

function wordOf({ passes, severity }: DoctorCheck): string {
  return passes ? 'ok' : severity
}

function checkLines(
  check: Told,
  { width, columns }: { width: number; columns: number | undefined },
  { dim, green, red, yellow }: Colors,
): string[] {
  const word = wordOf(check)
  const paint = check.passes ? green : check.severity === 'error' ? red : yellow
  const margin = ' '.repeat(width + 2)
  const message = manyLines(check.message)
  const said = message.flatMap((line, i) => {
    const lead = i === 0 ? paint(word) + margin.slice(word.length) : margin
    const code = i === message.length - 1 ? `  ${dim(`[${check.code}]`)}` : ''
    return hanging(lead, line + code, columns)
  })
  const fix = manyLines(check.fix).flatMap((line, i) =>
    hangingFix(`${margin}${i === 0 ? 'fix: ' : '     '}`, line, columns),
  )
  return [...said, ...fix]
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
