import { describe, expect, it } from 'vitest'
import type { FleetView, HostView } from '../../agent/core/fleet/view.ts'
import { renderFleet } from '../../agent/report/fleet.ts'
import { fleetPage } from '../../agent/report/fleet-page.ts'
import { doneRecord } from '../core/fleet/sample.ts'

const now = new Date('2026-11-27T03:00:00Z')
const at = (minutesAgo: number): string => new Date(now.getTime() - minutesAgo * 60_000).toISOString()

const host = (name: string, more: Partial<HostView> = {}): HostView => ({ ...doneRecord(name), ...more })

const window = { usedMs: 4_100, birdDownMs: 131, budgetMs: 90_000 }
const view: FleetView = {
  group: 'rack-7',
  slots: 1,
  target: 'calico/node:v2',
  halted: null,
  done: 1,
  total: 4,
  hosts: [
    host('host2', { state: 'at-work', run: 'run-2', askedAt: at(9), startedAt: at(2) }),
    host('host3', { state: 'failed', reason: 'no session came back <b>', endedAt: at(5) }),
    host('host4', { state: 'waiting', askedAt: at(12) }),
    host('host1', { window, askedAt: at(20), startedAt: at(12), endedAt: at(10) }),
  ],
}

describe('the rollout as text', () => {
  it('tells how far it is, who is at work, and what became of each host', () => {
    expect(renderFleet(view, { color: false, now })).toBe(
      [
        'group rack-7: calico/node:v2',
        '[########----------------------] 1 of 4 hosts done, 1 of 1 slot taken',
        '',
        'host2  at work  for 2 min             run run-2',
        'host3  failed   2026-11-27 02:55:00Z  no session came back <b>',
        'host4  waiting  for 12 min',
        'host1  done     2026-11-27 02:50:00Z  window 4.1 s of 90 s, BIRD down 131 ms',
      ].join('\n'),
    )
  })

  it('tells who halted it, and what lets it go on', () => {
    const halt = { by: 'host1', reason: 'storage maintenance', at: at(1) }
    const failure = { host: 'host3', run: 'run-3', target: 'calico/node:v2', reason: 'no session', at: at(1) }
    const text = renderFleet({ ...view, halted: { halt, failures: [failure] } }, { color: false, now })
    expect(text).toContain(
      [
        'halted on host1 at 2026-11-27 02:59:00Z: storage maintenance',
        'halted: host3 failed in run run-3: no session',
        'to continue the rollout: calico-agent fleet resume',
      ].join('\n'),
    )
  })

  it('does not count on the clock of another host', () => {
    const ahead = host('host2', { state: 'at-work', startedAt: at(-400 * 24 * 60) })
    expect(renderFleet({ ...view, hosts: [ahead] }, { color: false, now })).toContain('by its clock')
  })

  it('shows no secret and no control sequence of another host', () => {
    const reason = 'cannot pull https://root:hunter2@registry.example\u001b[2J'
    const text = renderFleet(
      { ...view, hosts: [host('h', { state: 'failed', reason })] },
      { color: false, now },
    )
    expect(text).toContain('https://<redacted>@registry.example')
    expect(text).not.toContain('\u001b')
    const failure = { host: '\u001b[2Jh', run: '\u001b[2Jr', target: 'x', reason: 'y', at: at(1) }
    const halt = { by: '\u001b[2Jh', reason: 'z', at: '\u001b[2J' }
    const halted = { halt, failures: [failure] }
    const hosts = [host('\u001b[2Jh', { state: 'at-work', run: '\u001b[2Jr', startedAt: '\u001b[2J' })]
    const odd = { ...view, group: '\u001b[2Jg', halted, hosts }
    expect(renderFleet(odd, { color: false, now })).not.toContain('\u001b')
  })
})

describe('the rollout as a page', () => {
  const page = fleetPage(view, now, 'host9')

  it('has a row for each host of the rollout, in the order in which they began', () => {
    const names = [...page.matchAll(/<th scope="row">(\w+)</g)].map(([, name]) => name)
    expect(names).toEqual(['host3', 'host4', 'host1', 'host2'])
  })

  it('draws the wait and the work of a host to the same scale', () => {
    // 20 minutes are the whole
    expect(page).toContain('<rect class="fill-none" x="0.00%" width="40.00%"')
    expect(page).toContain('<rect class="fill-good" x="40.00%" width="10.00%"')
  })

  it('names its group and the host that looks, in its title and heading', () => {
    expect(page).toContain('<title>group rack-7: calico/node:v2, seen from host9</title>')
    expect(page).toContain('<h1>Group rack-7<span class="quiet">, seen from host9</span></h1>')
    expect(fleetPage(view, now, null)).toContain('<h1>Group rack-7<span class="quiet"></span></h1>')
  })

  it('takes no text of another host for markup', () => {
    expect(page).not.toContain('<b>')
    expect(page).toContain('no session came back &lt;b&gt;')
  })
})
