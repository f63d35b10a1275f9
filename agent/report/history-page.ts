import type { Problem } from '../core/errors.ts'
import { grouped } from '../core/grouped.ts'
import type { RunTimeline, TimelineStep } from '../core/report/history.ts'
import type { WindowReport } from '../core/report/report.ts'
import { changeTexts, isUnwound, timeText, toneOf } from './history.ts'
import { breakable, breakableLines, dataTable, escaped, factList, htmlPage } from './html.ts'
import { type Part, scaleBar } from './scale-bar.ts'
import { duration, oneLine, seconds, setSeconds } from './text.ts'
import { windowFigure } from './window-figure.ts'

/** A run drawn as one page: no script, and nothing from elsewhere. */
export function historyPage(timeline: RunTimeline, problems: Problem[]): string {
  const { run, command, outcome, window, steps } = timeline
  const host = oneLine(timeline.host ?? 'unknown host')
  const ended = (outcome ?? 'unfinished').replace('-', ' ')
  return htmlPage(`${host}: ${command}, ${ended} (${run})`, [
    `<h1>${escaped(host)}: ${escaped(command)}, <span class="${toneOf(timeline)}">${escaped(ended)}</span></h1>`,
    factList(factsOf(timeline)),
    ...(window ? [windowHead(window), ...windowFigure(window, steps, isUnwound(timeline))] : []),
    ...(window ? releasedText(window) : []),
    ...problemSection(problems),
    ...stepSection(timeline),
    ...eventSection(timeline),
  ])
}

function factsOf(timeline: RunTimeline): [string, string | null][] {
  const { run, startedAt, agent, controllersDownMs, events } = timeline
  const finished = events.findLast(({ event }) => event === 'finished')
  return [
    ['Run', run],
    ['Began', timeText(startedAt)],
    ['Took', finished ? duration(finished.ms) : null],
    ['Agent', agent],
    ['No controllers for', controllersDownMs === null ? null : duration(controllersDownMs)],
    ['Change', changeTexts(timeline).join('\n')],
  ]
}

function windowHead({ budgetMs, usedMs }: WindowReport): string {
  const budget = setSeconds(budgetMs)
  const isLate = usedMs !== null && usedMs > budgetMs
  const used =
    usedMs === null ? `${budget}, and not everything came back` : `${seconds(usedMs)} of ${budget} used`
  const more = isLate ? ': the peers may have withdrawn routes' : ''
  return `<h2>Restart window <span${isLate ? ' class="bad"' : ''}>${escaped(used + more)}</span></h2>`
}

function releasedText({ releasedPeers }: WindowReport): string[] {
  if (releasedPeers.length === 0) return []
  return [
    `<p class="quiet">Released, because they were down before the run: ${escaped(releasedPeers.join(', '))}</p>`,
  ]
}

function stepSection({ steps, events }: RunTimeline): string[] {
  const moments = [
    // an uncordon that was pending, or an operator, may come days after the run
    ...events.filter(({ event }) => event !== 'uncordoned' && event !== 'settled').map(({ ms }) => ms),
    ...steps.flatMap((step) => [step.beganMs, step.endedMs, step.undoingMs, step.undoneMs]),
  ]
  const whole = Math.max(1, ...moments.map((ms) => ms ?? 0))
  const undone = steps.some(({ undoingMs }) => undoingMs !== null)
  const caption = `When each step began, and how long it took. The bar shows it in the run${undone ? '; in the second colour, its undoing' : ''}.`
  return [
    `<h2>Steps <span>${escaped(duration(whole))} in total</span></h2>`,
    dataTable(
      caption,
      ['Step', 'Status', 'Time'],
      steps.map((step) => [
        `${breakable(oneLine(step.summary))}${stepBar(step, whole)}`,
        `<span class="${STATUS_TONE[step.status]}">${escaped(step.status)}</span>`,
        step.beganMs === null
          ? ''
          : `${escaped(seconds(step.beganMs, 3))}<small>${escaped(duration(step.ms))}</small>`,
      ]),
    ),
  ]
}

const STATUS_TONE: Record<TimelineStep['status'], string> = {
  pending: 'quiet',
  doing: 'info',
  verifying: 'info',
  verified: 'good',
  failed: 'bad',
  undoing: 'warn',
  undone: 'warn',
}

/** A step that did not end is drawn to the end of the run, or to where it began to be undone. */
function stepBar({ beganMs, endedMs, undoingMs, undoneMs }: TimelineStep, whole: number): string {
  const spans: [Part['fill'], string, number | null, number][] = [
    ['good', 'at work', beganMs, endedMs ?? undoingMs ?? whole],
    ['warn', 'undone', undoingMs, undoneMs ?? whole],
  ]
  const drawn = spans.flatMap(([fill, text, from, to]) => (from === null ? [] : [{ fill, text, from, to }]))
  const said = drawn.map(({ text, from, to }) => `${text} from ${seconds(from, 3)} to ${seconds(to, 3)}`)
  return scaleBar(
    said.join(', ') || 'not begun',
    drawn.map(({ fill, from, to }) => ({ fill, from: from / whole, to: to / whole })),
  )
}

function eventSection({ events }: RunTimeline): string[] {
  return [
    '<h2>Run</h2>',
    dataTable(
      'What happened to the run as a whole, in seconds since it began.',
      ['What', 'Event', 'Time'],
      events.map(({ ms, event, text }) => [
        breakable(oneLine(text)),
        escaped(event.replace('going-back', 'rolling back')),
        escaped(seconds(ms, 3)),
      ]),
    ),
  ]
}

function problemSection(problems: Problem[]): string[] {
  if (problems.length === 0) return []
  const said = grouped(problems).map(({ severity, code, message, fix }) => [
    `<section class="problem ${severity === 'error' ? 'bad' : 'warn'}">`,
    `<h3>${escaped(severity)} <span class="quiet">${escaped(code)}</span></h3>`,
    `<p>${breakableLines(message)}</p>`,
    `<p><b>Fix:</b> ${breakableLines(fix)}</p>`,
    '</section>',
  ])
  return ['<h2>Problems</h2>', ...said.flat()]
}
