import type { TimelineStep } from '../core/report/history.ts'
import type { WindowReport } from '../core/report/report.ts'
import { escaped } from './html.ts'
import { type Fill, type Part, partRect, percent } from './scale-bar.ts'
import { seconds, setSeconds } from './text.ts'
import { marksOf } from './window-text.ts'

interface Moment {
  ms: number
  text: string
}

type Phase = [fill: Fill, text: string, from: number, to: number]

interface WindowPicture {
  budgetMs: number
  moments: Moment[]
  phases: Phase[]
}

/** The restart window: its whole budget as a scale, and below it, enlarged, the part in which something happened. */
export function windowFigure(window: WindowReport, steps: TimelineStep[], unwound: boolean): string[] {
  const picture = {
    budgetMs: window.budgetMs,
    moments: momentsOf(window, steps, unwound),
    phases: phasesOf(window, unwound),
  }
  const last = Math.max(...picture.moments.map(({ ms }) => ms))
  const round = ROUND.find((ms) => ms >= last * 1.03) ?? last
  const whole = last > window.budgetMs ? round : window.budgetMs
  const part = Math.min(whole, round)
  const isEnlarged = part < whole
  const y = isEnlarged ? 68 : 18
  return [
    legend(picture.phases, whole > window.budgetMs ? [budgetItem(window.budgetMs)] : []),
    '<figure>',
    `<svg role="img" aria-labelledby="window-title" aria-describedby="window-text" height="${y + BAR + picture.moments.length * ROW + 12}">`,
    `<title id="window-title">The restart window of ${escaped(setSeconds(window.budgetMs))}</title>`,
    `<desc id="window-text">${escaped(inWords(picture.moments))}</desc>`,
    ...(isEnlarged ? [...scale(picture, { whole, y: 18, height: 12 }), wedge(part / whole)] : []),
    ...scale(picture, { whole: part, y, height: BAR }),
    ...(part > window.budgetMs ? [limit(window.budgetMs / part, y)] : []),
    ...tags(picture.moments, part, y + BAR),
    '</svg>',
    '</figure>',
  ]
}

/** Steps from one round time to the next; a drawing ends at one of them. */
const ROUND = [1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300].map((s) => s * 1_000)
const TICKS = [0.2, 0.5, 1, 2, 3, 5, 10, 15, 20, 30, 60, 120].map((s) => s * 1_000)
const BAR = 24
const ROW = 26

function momentsOf(window: WindowReport, steps: TimelineStep[], unwound: boolean): Moment[] {
  // on the way back, nothing settles and nothing is committed
  const settledMs = unwound ? null : (window.settledMs ?? null)
  const all: [number | null, string][] = [
    [0, 'KILL'],
    ...marksOf(window, unwound),
    [settledMs, 'settled'],
    [settledMs === null ? null : committedAt(settledMs, steps), 'commit'],
  ]
  return all.flatMap(([ms, text]) => (ms === null ? [] : [{ ms, text }]))
}

/** The swap ends when the new node has settled: from there on, the clock of the run tells. */
function committedAt(settledMs: number, steps: TimelineStep[]): number | null {
  const at = steps.findIndex(({ kind }) => SWAPS.has(kind))
  const settled = steps[at]?.endedMs ?? null
  const committed = steps.slice(at).find(({ kind }) => kind === 'commit')?.endedMs ?? null
  return settled === null || committed === null ? null : settledMs + committed - settled
}

const SWAPS = new Set<TimelineStep['kind']>(['swap-container', 'swap-unit', 'swap-pod'])

function phasesOf(window: WindowReport, unwound: boolean): Phase[] {
  const { birdDownMs, sessionsBackMs, recoveredMs } = window
  const all: [Fill, string, number | null, number | null][] = [
    ['bad', 'BIRD is down', 0, birdDownMs],
    ['warn', 'sessions come back', birdDownMs, sessionsBackMs],
    ['info', 'BIRD recovers', sessionsBackMs, recoveredMs],
    ['good', 'the new node settles', recoveredMs, unwound ? null : (window.settledMs ?? null)],
  ]
  return all.flatMap(([fill, text, from, to]): Phase[] =>
    from === null || to === null ? [] : [[fill, text, from, to]],
  )
}

function legend(phases: Phase[], more: string[]): string {
  const items = phases.map(
    ([fill, text]) =>
      `<li><svg aria-hidden="true"><rect class="fill-${fill}" width="10" height="10" rx="2"/></svg>${text}</li>`,
  )
  return `<ul class="legend quiet">${[...items, ...more].join('')}</ul>`
}

function budgetItem(budgetMs: number): string {
  return `<li><svg class="limit" aria-hidden="true"><rect class="fill-text" width="2" height="14"/></svg>the budget, ${escaped(setSeconds(budgetMs))}</li>`
}

function inWords(moments: Moment[]): string {
  const said = moments.map(({ ms, text }) => `${text} at ${seconds(ms, 3)}`)
  return `Since the last sign of the BIRD that was replaced: ${said.join(', ')}.`
}

/** A bar with its ticks above it. */
function scale(
  { phases }: WindowPicture,
  { whole, y, height }: { whole: number; y: number; height: number },
): string[] {
  const parts = phases.map(([fill, , from, to]): Part => ({ fill, from: from / whole, to: to / whole }))
  return [
    ...ticksOf(whole).map((ms) => tick(ms, whole, y - 6)),
    `<rect class="track" y="${y}" width="100%" height="${height}" rx="2"/>`,
    ...parts.map((part) => partRect(part, `y="${y}" height="${height}"`)),
  ]
}

function ticksOf(whole: number): number[] {
  const few = TICKS.filter((ms) => whole / ms <= 6)
  const step = few.find((ms) => whole % ms === 0) ?? few[0] ?? whole
  // the last is the whole, whatever it is, and has room before it
  const count = Math.ceil(whole / step - 0.6)
  return [...Array.from({ length: count }, (_, i) => i * step), whole]
}

function tick(ms: number, whole: number, y: number): string {
  const anchor = ms === 0 ? 'start' : ms >= whole ? 'end' : 'middle'
  const text = ms >= whole ? setSeconds(ms) : `${Number((ms / 1000).toFixed(1))}`
  return `<text class="tick" x="${percent(ms / whole)}" y="${y}" text-anchor="${anchor}">${text}</text>`
}

function limit(share: number, y: number): string {
  return `<line class="limit" x1="${percent(share)}" x2="${percent(share)}" y1="${y - 3}" y2="${y + BAR + 3}"/>`
}

/** From the part of the upper scale to the whole of the lower one. */
function wedge(share: number): string {
  const shape = `0,0 ${(share * 100).toFixed(2)},0 100,38 0,38`
  return `<svg y="30" width="100%" height="38" viewBox="0 0 100 38" preserveAspectRatio="none"><polygon class="wedge" points="${shape}"/></svg>`
}

/**
 * A row for each moment, with a line up to the bar. Those on the left have their text on the right, the earliest in
 * the lowest row, those on the right the other way round, above them: so that no line crosses a text.
 */
function tags(moments: Moment[], whole: number, top: number): string[] {
  const isLate = ({ ms }: Moment): boolean => ms > whole * 0.5
  const rows = [...moments.filter(isLate), ...moments.filter((moment) => !isLate(moment)).reverse()]
  const placed = rows.map((moment, i) => ({ ...moment, late: isLate(moment), y: top + ROW + i * ROW }))
  return [
    ...placed.map(({ ms, y }) => leader(percent(ms / whole), top, y)),
    ...placed.map(({ ms, text, late, y }) => {
      const place = `x="${percent(ms / whole)}" dx="${late ? -10 : 10}" y="${y + 5}" text-anchor="${late ? 'end' : 'start'}"`
      return `<text class="halo" ${place}>${escaped(text)} <tspan class="time">${seconds(ms, 3)}</tspan></text>`
    }),
  ]
}

function leader(x: string, top: number, y: number): string {
  return `<line x1="${x}" x2="${x}" y1="${top}" y2="${y}"/><circle cx="${x}" cy="${y}" r="3.5"/>`
}
