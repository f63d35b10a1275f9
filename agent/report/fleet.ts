import { HOW_TO_RESUME } from '../core/fleet/group.ts'
import type { FleetView, HostView, ViewedState } from '../core/fleet/view.ts'
import { timeText } from './history.ts'
import { type Colors, clip, colorsFor, duration, oneLine, progressBar, setSeconds } from './text.ts'
import { alignedRows, hanging, type TextOptions } from './wrap.ts'

interface FleetTextOptions extends TextOptions {
  /** Of the clock that reads it. */
  now: Date
}

const BAR_WIDTH = 30
const REASON_WIDTH = 120

export const STATE_TEXT: Record<ViewedState, string> = {
  'at-work': 'at work',
  silent: 'silent',
  waiting: 'waiting',
  done: 'done',
  failed: 'failed',
  refused: 'refused',
  stuck: 'stuck',
  earlier: 'other target',
}

/** The rollout, for people. No newline at its end. */
export function renderFleet(view: FleetView, { color, columns, now }: FleetTextOptions): string {
  const colors = colorsFor(color)
  return [
    ...hanging(
      `group ${oneLine(view.group)}: `,
      view.target === null ? 'no rollout yet' : oneLine(view.target),
      columns,
    ),
    ...hanging(
      `${colors.cyan(progressBar(view.done, view.total, BAR_WIDTH))} `,
      `${view.done} of ${view.total} hosts done, ${slotsText(view)}`,
      columns,
    ),
    ...haltLines(view, colors).flatMap((line) => hanging('', line, columns)),
    ...(view.hosts.length === 0 ? [] : ['']),
    ...alignedRows(
      view.hosts.map((host) => hostRow(host, now, colors)),
      columns,
    ),
  ].join('\n')
}

/** One host in one line, without its neighbours. */
export function hostLine(host: HostView, now: Date): string {
  return hostRow(host, now, colorsFor(false))
    .filter((cell) => cell !== '')
    .join(', ')
}

export function slotsText({ slots, hosts }: FleetView): string {
  const used = hosts.filter(({ state }) => state === 'at-work' || state === 'silent').length
  return `${used} of ${slots} ${slots === 1 ? 'slot' : 'slots'} taken`
}

function haltLines({ halted }: FleetView, { red, dim }: Colors): string[] {
  if (halted === null) return []
  const { halt, failures } = halted
  const why = [
    ...(halt ? [`halted on ${halt.by} at ${timeText(halt.at)}: ${halt.reason}`] : []),
    ...failures.map(({ host, run, reason }) => `halted: ${host} failed in run ${run}: ${reason}`),
  ]
  return [...why.map((line) => red(oneLine(line))), dim(HOW_TO_RESUME)]
}

function hostRow(host: HostView, now: Date, colors: Colors): string[] {
  const plain = [sinceText(host, now), detailText(host)].map(oneLine)
  return [oneLine(host.host), painted(host.state, colors), ...plain]
}

function painted(state: ViewedState, { green, yellow, red, cyan, dim }: Colors): string {
  const text = STATE_TEXT[state]
  if (state === 'done') return green(text)
  if (state === 'at-work') return cyan(text)
  if (state === 'waiting') return yellow(text)
  return state === 'earlier' ? dim(text) : red(text)
}

/** How long it has been so; the clock of the other host may be ahead. */
export function sinceText({ state, askedAt, startedAt, endedAt }: HostView, now: Date): string {
  const since = state === 'waiting' ? askedAt : state === 'at-work' || state === 'silent' ? startedAt : null
  if (since === null) return endedAt === null ? '' : timeText(endedAt)
  const ms = now.getTime() - Date.parse(since)
  return ms < 0 ? `since ${timeText(since)}, by its clock` : `for ${roughly(ms)}`
}

function roughly(ms: number): string {
  const minutes = Math.floor(ms / 60_000)
  if (minutes < 1) return `${Math.floor(ms / 1000)} s`
  if (minutes < 120) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} days`
}

export function detailText({ state, run, reason, window, target }: HostView): string {
  if (state === 'earlier') return oneLine(target)
  if (state === 'silent')
    return `run ${run ?? ''}; if the host never comes back: calico-agent fleet release HOST`
  if (state === 'at-work') return `run ${run ?? ''}`
  if (reason !== null) return clip(oneLine(reason), REASON_WIDTH)
  if (window === null) return ''
  const down = window.birdDownMs === null ? '' : `, BIRD down ${duration(window.birdDownMs)}`
  return `window ${duration(window.usedMs)} of ${setSeconds(window.budgetMs)}${down}`
}
