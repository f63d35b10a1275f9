import type { Problem } from '../core/errors.ts'
import type { RunTimeline, TimelineStep } from '../core/report/history.ts'
import type { WindowReport } from '../core/report/report.ts'
import { changeText, isUnwound, timeText } from './history.ts'
import { escaped, htmlPage } from './html.ts'
import { duration, manyLines, oneLine, seconds, setSeconds } from './text.ts'
import { markText } from './window-text.ts'

/** A run drawn as one page: no script, and nothing from elsewhere. */
export function historyPage(timeline: RunTimeline, problems: Problem[]): string {
  const { run, command, startedAt, outcome, agent, window } = timeline
  const title = `${run}: ${command}, ${outcome ?? 'unfinished'}`
  return htmlPage(escaped(title), STYLE, [
    `<h1>${escaped(title)}</h1>`,
    `<p>${escaped(`${timeText(startedAt)}, agent ${agent}`)}<br>${escaped(changeText(timeline))}</p>`,
    ...stepsTable(timeline),
    ...(window ? windowTable(window, isUnwound(timeline)) : []),
    ...eventList(timeline),
    ...problems.map(problemText),
  ])
}

const STYLE = [
  'body{font:14px/1.5 sans-serif;max-width:70em;margin:2em auto;padding:0 1em;color:#222;background:#fff}',
  'table{border-collapse:collapse;width:100%}td{padding:.2em .5em;border-top:1px solid #ddd;vertical-align:top}',
  'td.bar{width:45%}svg{display:block;width:100%;height:1.4em;background:#f2f2f2}',
  '.done{fill:#3a7d44}.back{fill:#c77f1a}.mark{fill:#1b4f8f}.time{text-align:right;white-space:nowrap}',
].join('')

function stepsTable({ steps, events }: RunTimeline): string[] {
  const moments = [
    // an uncordon that was pending may come days after the run
    ...events.filter(({ event }) => event !== 'uncordoned').map(({ ms }) => ms),
    ...steps.flatMap((step) => [step.beganMs, step.endedMs, step.undoingMs, step.undoneMs]),
  ]
  const whole = Math.max(1, ...moments.map((ms) => ms ?? 0))
  return [
    `<h2>Steps, ${escaped(duration(whole))} in total</h2>`,
    '<table>',
    ...steps.map((step) =>
      row([escaped(oneLine(step.summary)), escaped(step.status), timeCell(step), stepBar(step, whole)]),
    ),
    '</table>',
  ]
}

function timeCell({ beganMs, ms }: TimelineStep): string {
  return beganMs === null ? '' : escaped(`${seconds(beganMs, 3)} + ${duration(ms)}`)
}

/** A step that did not end is drawn to the end of the run, or to where it began to be undone. */
function stepBar({ beganMs, endedMs, undoingMs, undoneMs }: TimelineStep, whole: number): string {
  const bars = [
    beganMs === null ? '' : rect('done', beganMs, endedMs ?? undoingMs ?? whole, whole),
    undoingMs === null ? '' : rect('back', undoingMs, undoneMs ?? whole, whole),
  ]
  return drawing(bars.join(''))
}

function windowTable(window: WindowReport, unwound: boolean): string[] {
  const { budgetMs, birdDownMs, sessionsBackMs, recoveredMs, usedMs, releasedPeers } = window
  const marks: [number | null, string][] = [
    [0, unwound ? 'BIRD killed' : 'old BIRD killed'],
    [birdDownMs, markText('bird-up', unwound)],
    [sessionsBackMs, markText('sessions-back', unwound)],
    [recoveredMs, markText('recovered', unwound)],
  ]
  const whole = Math.max(1, budgetMs, usedMs ?? 0)
  const released = releasedPeers.length === 0 ? [] : [`<p>released ${escaped(releasedPeers.join(', '))}</p>`]
  return [
    `<h2>Window of ${escaped(setSeconds(budgetMs))}, ${escaped(usedMs === null ? 'not recovered' : `${seconds(usedMs)} used`)}</h2>`,
    '<table>',
    ...marks.flatMap(([ms, text]) =>
      ms === null
        ? []
        : [row([escaped(text), '', escaped(seconds(ms, 3)), drawing(rect('mark', 0, ms, whole))])],
    ),
    '</table>',
    ...released,
  ]
}

function eventList({ events }: RunTimeline): string[] {
  return [
    '<h2>Run</h2>',
    '<table>',
    ...events.map(({ ms, event, text }) =>
      row([
        escaped(oneLine(text)),
        escaped(event.replace('going-back', 'rolling back')),
        escaped(seconds(ms, 3)),
        '',
      ]),
    ),
    '</table>',
  ]
}

function problemText({ severity, message, fix }: Problem): string {
  const lines = [`${severity}: `, ...manyLines(message), 'fix: ', ...manyLines(fix)]
  return `<p>${lines.map(escaped).join('<br>')}</p>`
}

function row([what = '', status = '', time = '', bar = '']: string[]): string {
  return `<tr><td>${what}</td><td>${status}</td><td class="time">${time}</td><td class="bar">${bar}</td></tr>`
}

function drawing(inner: string): string {
  return `<svg viewBox="0 0 1000 14" preserveAspectRatio="none">${inner}</svg>`
}

/** At least a hair wide, so that what was quick is seen. */
function rect(kind: string, from: number, to: number, whole: number): string {
  const x = (from / whole) * 1000
  const width = Math.max(3, ((to - from) / whole) * 1000)
  return `<rect class="${kind}" x="${Math.min(x, 997).toFixed(1)}" y="0" width="${width.toFixed(1)}" height="14"/>`
}
