import type { GcReport } from '../core/report/gc.ts'
import { problemLines } from './problem-text.ts'
import { colorsFor, oneLine } from './text.ts'
import { hanging, type TextOptions } from './wrap.ts'

/** What was removed, or would be, for people. No newline at its end. */
export function renderGc(
  report: GcReport,
  { color, columns, check }: TextOptions & { check: boolean },
): string {
  const { containers, images, files, journals, problems } = report
  const verb = check ? 'would remove' : 'removed'
  const kinds: [string, string[]][] = [
    ['container', containers],
    ['image', images],
    ['file', files],
    ['journal of', journals],
  ]
  const lines = kinds.flatMap(([kind, names]) =>
    names.flatMap((name) => hanging(`${verb} ${kind} `, oneLine(name), columns)),
  )
  const failed = problems.some(({ severity }) => severity === 'error')
  const nothing = report.changed || failed ? [] : ['nothing to remove']
  return [
    ...lines,
    ...nothing,
    ...problems.flatMap((problem) => problemLines(problem, colorsFor(color), columns)),
  ].join('\n')
}
