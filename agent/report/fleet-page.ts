import { HOW_TO_RESUME } from '../core/fleet/group.ts'
import type { FleetView, HostView, ViewedState } from '../core/fleet/view.ts'
import { detailText, hostLine, STATE_TEXT, sinceText, slotsText } from './fleet.ts'
import { timeText } from './history.ts'
import { breakable, dataTable, escaped, factList, htmlPage } from './html.ts'
import { type Fill, type Part, scaleBar } from './scale-bar.ts'
import { oneLine } from './text.ts'

/** The rollout drawn as one page: time to the right, a host a row. `seenFrom` is the host that looks. */
export function fleetPage(view: FleetView, now: Date, seenFrom: string | null): string {
  const target = view.target === null ? 'no rollout yet' : oneLine(view.target)
  const from = seenFrom === null ? '' : `, seen from ${oneLine(seenFrom)}`
  const drawn = view.hosts.filter((host) => host.state !== 'earlier')
  return htmlPage(`group ${view.group}: ${target}${from}`, [
    `<h1>Group ${escaped(view.group)}<span class="quiet">${escaped(from)}</span></h1>`,
    factList([
      ['Target', target],
      ['Hosts', `${view.done} of ${view.total} done`],
      ['Slots', slotsText(view)],
      ['Drawn', timeText(now.toISOString())],
    ]),
    ...haltSection(view),
    ...hostSection(inOrder(drawn), now),
  ])
}

function hostSection(hosts: HostView[], now: Date): string[] {
  if (hosts.length === 0) return []
  const span = spanOf(hosts, now)
  const from = timeText(new Date(span.from).toISOString())
  const caption = `In the order in which they began. Each bar goes from ${from} to ${timeText(now.toISOString())}: grey while the host waited, in colour while it was at work.`
  return [
    '<h2>Hosts</h2>',
    dataTable(
      escaped(caption),
      ['Host', 'State', 'Since'],
      hosts.map((host) => [
        `${escaped(oneLine(host.host))}${hostBar(host, span, now)}${detail(host)}`,
        `<span class="${LOOKS[host.state].tone}">${escaped(STATE_TEXT[host.state])}</span>`,
        escaped(sinceText(host, now)),
      ]),
    ),
  ]
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

const LOOKS: Record<ViewedState, { fill: Fill; tone: string }> = {
  'at-work': { fill: 'info', tone: 'info' },
  waiting: { fill: 'none', tone: 'warn' },
  done: { fill: 'good', tone: 'good' },
  silent: { fill: 'bad', tone: 'bad' },
  failed: { fill: 'bad', tone: 'bad' },
  refused: { fill: 'bad', tone: 'bad' },
  stuck: { fill: 'bad', tone: 'bad' },
  earlier: { fill: 'none', tone: 'quiet' },
}

function hostBar(host: HostView, span: Span, now: Date): string {
  const { askedAt, startedAt, endedAt, state } = host
  const share = (at: string): number => (Date.parse(at) - span.from) / (span.to - span.from)
  const end = now.toISOString()
  const spans: [Fill, string | null, string][] = [
    ['none', askedAt, startedAt ?? end],
    [LOOKS[state].fill, startedAt, endedAt ?? end],
  ]
  const parts = spans.flatMap(([fill, from, to]): Part[] =>
    from === null ? [] : [{ fill, from: share(from), to: share(to) }],
  )
  return scaleBar(hostLine(host, now), parts)
}

function detail(host: HostView): string {
  const text = detailText(host)
  return text === '' ? '' : `<small>${breakable(text)}</small>`
}

function haltSection({ halted }: FleetView): string[] {
  if (halted === null) return []
  const { halt, failures } = halted
  const lines = [
    ...(halt ? [`halted on ${halt.by}: ${halt.reason}`] : []),
    ...failures.map(({ host, reason }) => `halted: ${host} failed: ${reason}`),
  ]
  return [
    '<section class="problem bad">',
    '<h2>No other host starts</h2>',
    ...lines.map((line) => `<p>${breakable(oneLine(line))}</p>`),
    `<p><b>Fix:</b> ${HOW_TO_RESUME}</p>`,
    '</section>',
  ]
}
