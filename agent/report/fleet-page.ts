import type { FleetView, HostView, ViewedState } from '../core/fleet/view.ts'
import { hostLine, STATE_TEXT } from './fleet.ts'
import { timeText } from './history.ts'
import { escaped, htmlPage } from './html.ts'
import { oneLine } from './text.ts'

const STYLE = [
  ':root{color-scheme:light dark}',
  'body{font:14px/1.5 sans-serif;max-width:70em;margin:2em auto;padding:0 1em}',
  'table{border-collapse:collapse;width:100%}td,th{padding:.2em .5em;border-top:1px solid #8884;text-align:left}',
  'td.bar{width:55%}svg{display:block;width:100%;height:1.2em;background:#8882}',
  '.waited{fill:#8888}.done{fill:#3a7d44}.at-work{fill:#1b4f8f}.failed,.stuck,.silent,.refused{fill:#b3261e}',
].join('')

/** The rollout drawn as one page: time to the right, a host a row. */
export function fleetPage(view: FleetView, now: Date): string {
  const title = escaped(
    `group ${view.group}: ${view.target === null ? 'no rollout yet' : oneLine(view.target)}`,
  )
  const drawn = view.hosts.filter((host) => host.state !== 'earlier')
  const span = spanOf(drawn, now)
  const from = timeText(new Date(span.from).toISOString())
  return htmlPage(title, STYLE, [
    `<h1>${title}</h1>`,
    `<p>${view.done} of ${view.total} hosts done; from ${escaped(from)} to ${escaped(timeText(now.toISOString()))}</p>`,
    ...haltText(view),
    '<table>',
    '<tr><th scope="col">host</th><th scope="col">state</th><th scope="col">waited, then worked</th></tr>',
    ...inOrder(drawn).map((host) => row(host, span, now)),
    '</table>',
  ])
}

interface Span {
  from: number
  to: number
}

function spanOf(hosts: HostView[], now: Date): Span {
  const times = hosts.flatMap(({ askedAt, startedAt }) => [askedAt, startedAt]).flatMap((at) => at ?? [])
  const from = Math.min(now.getTime(), ...times.map((at) => Date.parse(at)))
  return { from, to: Math.max(from + 1, now.getTime()) }
}

/** As they began. */
function inOrder(hosts: HostView[]): HostView[] {
  const begin = ({ startedAt, askedAt }: HostView): string => startedAt ?? askedAt ?? ''
  return hosts.toSorted((one, other) => begin(one).localeCompare(begin(other)))
}

function row(host: HostView, span: Span, now: Date): string {
  const { askedAt, startedAt, endedAt, state } = host
  const bars = [
    askedAt === null ? '' : rect('waited', askedAt, startedAt ?? now.toISOString(), span),
    startedAt === null ? '' : rect(state, startedAt, endedAt ?? now.toISOString(), span),
  ]
  const label = escaped(hostLine(host, now))
  return [
    `<tr><td>${escaped(host.host)}</td><td>${escaped(STATE_TEXT[state])}</td><td class="bar">`,
    `<svg viewBox="0 0 1000 12" preserveAspectRatio="none" role="img" aria-label="${label}"><title>${label}</title>`,
    `${bars.join('')}</svg></td></tr>`,
  ].join('')
}

/** At least a hair wide, so that what was quick is seen. */
function rect(kind: ViewedState | 'waited', from: string, to: string, span: Span): string {
  const whole = span.to - span.from
  const x = ((Date.parse(from) - span.from) / whole) * 1000
  const width = Math.max(3, ((Date.parse(to) - Date.parse(from)) / whole) * 1000)
  return `<rect class="${kind}" x="${Math.min(x, 997).toFixed(1)}" y="0" width="${width.toFixed(1)}" height="12"/>`
}

function haltText({ halted }: FleetView): string[] {
  if (halted === null) return []
  const { halt, failures } = halted
  const lines = [
    ...(halt ? [`halted on ${halt.by}: ${halt.reason}`] : []),
    ...failures.map(({ host, reason }) => `halted: ${host} failed: ${reason}`),
  ]
  return lines.map((line) => `<p><strong>${escaped(oneLine(line))}</strong></p>`)
}
