import { describe, expect, it } from 'vitest'
import { emptyGroup, type Group, withHolder } from '../../../agent/core/fleet/group.ts'
import type { HostRecord } from '../../../agent/core/fleet/host-record.ts'
import { viewOf } from '../../../agent/core/fleet/view.ts'
import { doneRecord } from './sample.ts'

const NOW = new Date('2026-11-27T03:00:00Z')
const at = (minutesAgo: number): string => new Date(NOW.getTime() - minutesAgo * 60_000).toISOString()

const record = (host: string, more: Partial<HostRecord> = {}): HostRecord => ({
  ...doneRecord(host),
  target: 'v2',
  ...more,
})
const holder = (host: string, minutesAgo: number) => ({
  host,
  machine: null,
  run: 'run-9',
  target: 'v2',
  since: at(minutesAgo),
})
const view = (group: Group, ...records: HostRecord[]) =>
  viewOf(group, records, { name: 'default', limits: { slots: 1, stopAfter: 1 }, now: NOW })

describe('the view of a rollout', () => {
  const atWork = withHolder(emptyGroup, holder('host2', 2))

  it('has what each host says, who is at work, and what needs an eye first', () => {
    const seen = view(
      atWork,
      record('host1'),
      record('host10', { state: 'waiting' }),
      record('host2', { state: 'waiting', askedAt: at(5) }),
      record('host3', { state: 'failed', reason: 'no session' }),
      record('host4', { target: 'v1' }),
    )
    expect(seen.hosts.map(({ host, state }) => `${host} ${state}`)).toEqual([
      'host2 at-work',
      'host3 failed',
      'host10 waiting',
      'host1 done',
      'host4 earlier',
    ])
    expect(seen).toMatchObject({ target: 'v2', done: 1, total: 5, halted: null })
    expect(seen.hosts[0]).toMatchObject({ run: 'run-9', askedAt: at(5), startedAt: at(2), endedAt: null })
  })

  it('knows a host at work that has said nothing yet', () => {
    expect(view(atWork).hosts).toMatchObject([{ host: 'host2', state: 'at-work', startedAt: at(2) }])
  })

  it('takes a host for silent that is at work for longer than a run lasts, whatever its clock says', () => {
    const state = (minutesAgo: number) =>
      view(withHolder(emptyGroup, holder('host2', minutesAgo))).hosts[0]?.state
    expect(state(31)).toBe('silent')
    expect(state(29)).toBe('at-work')
    expect(state(-400 * 24 * 60)).toBe('at-work')
  })

  it('says why nobody starts', () => {
    const failure = { host: 'host3', run: 'run-3', target: 'v2', reason: 'no session', at: at(1) }
    expect(view({ ...atWork, failures: [failure] }).halted).toEqual({ halt: null, failures: [failure] })
    expect(view({ ...atWork, failures: [{ ...failure, target: 'v1' }] }).halted).toBeNull()
    const halt = { by: 'host1', reason: 'maintenance', at: at(1) }
    expect(view({ ...emptyGroup, halt })).toMatchObject({ target: null, halted: { halt, failures: [] } })
  })
})
