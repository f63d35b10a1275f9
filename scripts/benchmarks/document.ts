import type { Part, WantedFigure, WantedRatio } from './part.ts'
import { median, type Ratio, ratio, type Series, summary } from './statistics.ts'

const head = `# Benchmarks

Written by \`./scripts/bench\`, on two hosts of the lab. systemd, Docker Engine and BIRD are real; the image is a stand-in
for calico/node. Values that are compared were measured alternately in one run, each after the machine was quiet or 15 s
had passed. Times are in milliseconds. They differ between machines; the ratios are what counts.
`

/** One part's section of the document. */
export function section(part: Part, series: Series[], machine: string): string {
  const times = series.map(({ label, values }) => {
    const { median, min, max } = summary(values)
    return [label, ...[median, min, max].map((ms) => ms.toFixed(ms < 100 ? 1 : 0)), String(values.length)]
  })
  const ratios = ratiosOf(part, series).map(({ wanted, found }) => [
    `\`${wanted.key}\`: ${wanted.of} / ${wanted.to}`,
    figure(found.ofMedians),
    found.medianOfPairs === null ? '-' : figure(found.medianOfPairs),
    target(wanted, found.ofMedians),
  ])
  const figures = figuresOf(part, series).map(({ wanted, found }) => [
    `\`${wanted.key}\`: ${wanted.of}`,
    figure(found),
    target(wanted, found),
  ])
  const totals = Object.entries(part.totals?.(series) ?? {}).map(([key, value]) => [
    `\`${key}\``,
    String(value),
  ])
  return [
    `## ${part.name}: ${part.title}`,
    part.how,
    table([['ms', 'median', 'min', 'max', 'rounds'], ...times]),
    ...(ratios.length === 0
      ? []
      : [table([['ratio', 'of medians', 'median of pairs', 'target'], ...ratios])]),
    ...(totals.length === 0 ? [] : [table([['figure', 'total'], ...totals])]),
    ...(figures.length === 0 ? [] : [table([['median', '', 'target'], ...figures])]),
    part.meaning,
    `\`./scripts/bench --only ${part.name}\`: ${machine}.`,
  ].join('\n\n')
}

export function ratiosOf(part: Part, series: Series[]): { wanted: WantedRatio; found: Ratio }[] {
  const valuesOf = (label: string): number[] => series.find((one) => one.label === label)?.values ?? []
  return part.ratios.map((wanted) => ({ wanted, found: ratio(valuesOf(wanted.of), valuesOf(wanted.to)) }))
}

export function figuresOf(part: Part, series: Series[]): { wanted: WantedFigure; found: number }[] {
  const valuesOf = (label: string): number[] => series.find((one) => one.label === label)?.values ?? []
  return (part.figures ?? []).map((wanted) => ({ wanted, found: median(valuesOf(wanted.of)) }))
}

function figure(value: number): string {
  return value.toFixed(value < 0.1 ? 3 : 2)
}

function target({ atMost }: { atMost?: number }, found: number): string {
  if (atMost === undefined) return '-'
  return `at most ${atMost}: ${found <= atMost ? 'met' : 'missed'}`
}

function table([first = [], ...rows]: string[][]): string {
  const widths = first.map((_, column) =>
    Math.max(...[first, ...rows].map((row) => row[column]?.length ?? 0)),
  )
  const line = (row: string[]): string =>
    `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`
  return [line(first), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n')
}

/**
 * The document with fresh sections, by the name of their part, in the order of `parts`. What `old` has of other
 * parts stays; undefined is no document yet.
 */
export function withSections(
  old: string | undefined,
  fresh: ReadonlyMap<string, string>,
  parts: readonly string[],
): string {
  const sections = new Map<string, string>()
  for (const text of (old ?? '').split(/^(?=## )/m)) {
    const name = /^## ([\w-]+):/.exec(text)?.[1]
    if (name !== undefined) sections.set(name, text.trim())
  }
  for (const [name, text] of fresh) sections.set(name, text)
  return [head.trim(), ...parts.flatMap((name) => sections.get(name) ?? [])].join('\n\n') + '\n'
}
