import { describe, expect, it } from 'vitest'
import {
  blocking,
  emptyGroup,
  type Group,
  type Holder,
  resumed,
  withHolder,
  withoutHolder,
  withoutRun,
} from '../../../agent/core/fleet/group.ts'
import { taken } from '../../../agent/core/fleet/take.ts'

const AT = '2026-11-27T02:00:00.000Z'

const holder = (host: string, more: Partial<Holder> = {}): Holder => ({
  host,
  machine: null,
  run: `run-of-${host}`,
  target: 'v2',
  since: AT,
  ...more,
})

const end = (host: string, reason: string | null) => ({ run: `run-of-${host}`, reason })

const groupWith = (...holders: Holder[]): Group => holders.reduce(withHolder, emptyGroup)

const asking = (host: string, more: Partial<Parameters<typeof taken>[1]> = {}) => ({
  holder: holder(host),
  limits: { slots: 1, stopAfter: 1 },
  group: 'rack-7',
  isAlone: true,
  ...more,
})

describe('a slot', () => {
  it('is taken where one is free', () => {
    expect(taken(emptyGroup, asking('host-1')).holders).toEqual([holder('host-1')])
    const two = { limits: { slots: 2, stopAfter: 1 } }
    expect(taken(groupWith(holder('host-1')), asking('host-2', two)).holders).toHaveLength(2)
  })

  it('is not taken where none is free: who has it, since when, for which run, and the way out', () => {
    expect(() => taken(groupWith(holder('host-1')), asking('host-2'))).toThrow(
      expect.objectContaining({
        code: 'slot-held',
        exitCode: 75,
        message:
          'cannot start: the slot of group rack-7 is held by host-1 since 2026-11-27T02:00:00Z for run run-of-host-1',
        fix: expect.stringContaining('calico-agent fleet release host-1') as string,
      }),
    )
    const two = { limits: { slots: 2, stopAfter: 1 } }
    expect(() => taken(groupWith(holder('a'), holder('b')), asking('c', two))).toThrow(
      /all 2 slots of group rack-7 are held by a since .*, b since/,
    )
  })

  it('is kept by the run that has it, and taken over by the next run of its host', () => {
    const group = groupWith(holder('host-1'))
    expect(taken(group, asking('host-1'))).toBe(group)
    const next = holder('host-1', { run: 'run-2' })
    expect(taken(group, asking('host-1', { holder: next })).holders).toEqual([next])
  })

  it('of another agent on this host, which may be at work, is not taken over', () => {
    const next = { holder: holder('host-1', { run: 'run-2' }), isAlone: false }
    expect(() => taken(groupWith(holder('host-1')), asking('host-1', next))).toThrow(/held by host-1/)
  })

  it('is not shared by two machines of one name', () => {
    const group = groupWith(holder('host-1', { machine: 'a' }))
    const other = { holder: holder('host-1', { machine: 'b', run: 'run-2' }) }
    expect(() => taken(group, asking('host-1', other))).toThrow(
      expect.objectContaining({ code: 'fleet-host-name', exitCode: 3 }),
    )
    expect(
      taken(group, asking('host-1', { holder: holder('host-1', { run: 'run-2' }) })).holders,
    ).toHaveLength(1)
  })

  it('is given back by its host, and dropped by its run alone', () => {
    const group = groupWith(holder('host-1'))
    expect(withoutHolder(group, 'host-2', 'untouched', AT)).toBeNull()
    expect(withoutHolder(group, 'host-1', 'untouched', AT)?.holders).toEqual([])
    expect(withoutRun(group, 'host-1', 'run-2')).toBeNull()
    expect(withoutRun(group, 'host-1', 'run-of-host-1')?.holders).toEqual([])
  })
})

describe('a halt', () => {
  const failed = (host: string, group = groupWith(holder(host))): Group =>
    withoutHolder(withHolder(group, holder(host)), host, end(host, 'no session came back'), AT) ?? group

  it('by an operator keeps every host from its start, and none at work', () => {
    const halt = { by: 'host-9', reason: 'maintenance', at: AT }
    const group = { ...groupWith(holder('host-1')), halt }
    expect(() => taken({ ...group, holders: [] }, asking('host-1'))).toThrow(
      expect.objectContaining({
        code: 'fleet-halted',
        exitCode: 75,
        message: 'cannot start: group rack-7 was halted on host-9 at 2026-11-27T02:00:00Z: maintenance',
      }),
    )
    expect(taken(group, asking('host-1'))).toBe(group)
    // a slot that is left from a run before
    const next = { holder: holder('host-1', { run: 'run-2' }) }
    expect(() => taken(group, asking('host-1', next))).toThrow(/halted/)
    expect(taken(resumed({ ...group, holders: [] }), asking('host-2')).holders).toHaveLength(1)
  })

  it('comes of a failure: nobody else starts with this target, and everybody with another one', () => {
    const group = failed('host-1')
    expect(() => taken(group, asking('host-2'))).toThrow(
      expect.objectContaining({
        code: 'fleet-halted',
        message:
          'cannot start: group rack-7 is halted, as v2 failed on host-1 (run run-of-host-1): no session came back',
      }),
    )
    expect(taken(group, asking('host-1')).holders).toHaveLength(1)
    const other = { holder: holder('host-2', { target: 'v3' }) }
    expect(taken(group, asking('host-2', other)).holders).toHaveLength(1)
  })

  it('comes of as many hosts as the config says', () => {
    const limits = { slots: 1, stopAfter: 2 }
    const one = failed('host-1')
    expect(taken(one, asking('host-3', { limits })).holders).toHaveLength(1)
    // the same host again is one host
    expect(blocking(failed('host-1', one), 'v2', limits)).toEqual([])
    const two = failed('host-2', one)
    expect(() => taken(two, asking('host-3', { limits }))).toThrow(/failed on host-1 .*; host-2/)
  })

  it('is lifted by a success of that host with that target, in the run that has the slot', () => {
    const again = withHolder(failed('host-1'), holder('host-1', { run: 'run-2' }))
    const early = withoutHolder(again, 'host-1', end('host-1', null), AT)
    expect(early?.failures).toHaveLength(1)
    const late = withoutHolder(again, 'host-1', { run: 'run-2', reason: null }, AT)
    expect(late?.failures).toEqual([])
  })

  it('comes of the run that failed, and of no later turn of its host', () => {
    const again = withHolder(resumed(failed('host-1')), holder('host-1', { run: 'run-2' }))
    const ended = withoutHolder(again, 'host-1', end('host-1', 'no session came back'), AT)
    expect(ended).toMatchObject({ holders: [], failures: [] })
  })

  it('does not grow without end', () => {
    let group = emptyGroup
    for (let i = 0; i < 150; i++) group = failed(`host-${i}`, group)
    expect(group.failures).toHaveLength(100)
    expect(group.failures.at(-1)?.host).toBe('host-149')
  })
})

describe('the rollout', () => {
  it('counts the hosts that have reached the newest target', () => {
    let group = groupWith(holder('host-1'))
    expect(group.rollout).toEqual({ target: 'v2', since: AT, done: 0 })
    group = withoutHolder(group, 'host-1', end('host-1', null), AT) ?? group
    expect(group.rollout?.done).toBe(1)
    group = withHolder(group, holder('host-2', { target: 'v3' }))
    expect(group.rollout).toMatchObject({ target: 'v3', done: 0 })
    // a host that was still at work with the one before
    const both = withHolder(group, holder('host-1'))
    expect(
      withoutHolder({ ...both, rollout: group.rollout }, 'host-1', end('host-1', null), AT)?.rollout?.done,
    ).toBe(0)
  })
})
