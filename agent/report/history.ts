import { grouped } from '../core/grouped.ts'
import type { HistoryReport, HistoryRun, RunTimeline, TimelineStep } from '../core/report/history.ts'
import { problemLines } from './problem-text.ts'
import { type Colors, colorsFor, duration, oneLine, seconds } from './text.ts'
import { windowLines } from './window-text.ts'
import { alignedRows, hanging, type TextOptions } from './wrap.ts'

/** The runs, or the timeline of one, for people. No newline at its end. */
export function renderHistory(
  { runs, timeline, problems }: HistoryReport,
  { color, columns }: TextOptions,
): string {
  const colors = colorsFor(color)
  const sections = [
    timeline ? timelineLines(timeline, columns) : runLines(runs, colors, columns),
    timeline?.window ? windowLines(timeline.window, isUnwound(timeline), { colors, columns }) : [],
    grouped(problems).flatMap((problem) => problemLines(problem, colors, columns)),
  ]
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')
}

/** The old BIRD is the one that came up in the end. */
export function isUnwound({ command, outcome, steps }: RunTimeline): boolean {
  return command === 'upgrade' ? outcome === 'rolled-back' : steps.some(({ undoneMs }) => undoneMs !== null)
}

function runLines(runs: HistoryRun[], colors: Colors, columns: number | undefined): string[] {
  if (runs.length === 0) return ['no run on record']
  return alignedRows(
    runs.map((run) => [
      run.run,
      timeText(run.startedAt),
      run.command,
      outcomeText(run, colors),
      changeTexts(run).join('; '),
    ]),
    columns,
  )
}

function outcomeText(run: HistoryRun, { green, yellow, red }: Colors): string {
  return { good: green, warn: yellow, bad: red }[toneOf(run)](run.outcome ?? 'unfinished')
}

export function toneOf({ outcome }: HistoryRun): 'good' | 'warn' | 'bad' {
  if (outcome === 'stuck') return 'bad'
  return outcome === 'upgraded' || outcome === 'prefetched' ? 'good' : 'warn'
}

/** `node v2.6.5 -> v2.6.12`, for each component. */
export function changeTexts({ components }: HistoryRun): string[] {
  return Object.entries(components).map(([component, { from, to, rolledBack }]) => {
    const text = `${component} ${oneLine(from) || 'none'} -> ${oneLine(to)}`
    return rolledBack === true ? `${text} (rolled back)` : text
  })
}

/** Events and steps as they came, each with its second. */
function timelineLines(timeline: RunTimeline, columns: number | undefined): string[] {
  const { run, startedAt, command, outcome, steps, events } = timeline
  const moments = [
    ...events.map(({ ms, event, text }) => ({
      ms,
      text: `${event.replace('going-back', 'rolling back')}: ${oneLine(text)}`,
    })),
    ...steps.flatMap(stepMoments(steps.length)),
  ].toSorted((one, other) => one.ms - other.ms)
  return [
    ...hanging('', `${run}, ${command} of ${timeText(startedAt)}: ${outcome ?? 'unfinished'}`, columns),
    ...hanging('  ', changeTexts(timeline).join('; '), columns),
    '',
    ...moments.flatMap(({ ms, text }) => hanging(`${seconds(ms, 3).padStart(11)}  `, text, columns)),
  ]
}

function stepMoments(count: number) {
  return (step: TimelineStep, index: number): { ms: number; text: string }[] => {
    const at = `[${index + 1}/${count}]`
    const { beganMs, endedMs, undoingMs, undoneMs, summary, ms } = step
    const all: [number | null, string][] = [
      [beganMs, `${at} ${oneLine(summary)}`],
      [endedMs, `${at} done${ms > 0 ? ` in ${duration(ms)}` : ''}`],
      [undoingMs, `${at} undoing`],
      [undoneMs, `${at} undone`],
    ]
    return all.flatMap(([at, text]) => (at === null ? [] : [{ ms: at, text }]))
  }
}

/** To the second. */
export function timeText(iso: string): string {
  return iso.replace('T', ' ').replace(/\.\d+/, '')
}
