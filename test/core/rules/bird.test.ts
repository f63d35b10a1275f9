import { describe, expect, it } from 'vitest'
import type { BirdUp } from '../../../agent/core/bird/view.ts'
import type { ObservedNode } from '../../../agent/core/model.ts'
import { preflight, refusalOf } from '../../../agent/core/preflight.ts'
import { deadSession, session, upView } from '../../fakes/bird.ts'
import { node, observed, wanted } from '../observed.ts'

const restarting = { ...deadSession(2), imported: 1, restarting: { secondsLeft: 116 } }

function problemsOf(changes: Partial<ObservedNode>, view?: BirdUp, more: Partial<typeof wanted> = {}) {
  return preflight(observed({ node: node(changes, view) }), { ...wanted, ...more })
}

describe('peer-restarting', () => {
  const view = upView('old', [restarting, session(3), deadSession(9)])

  it('puts an upgrade off while a peer restarts, and tells for how long', () => {
    const problems = problemsOf({}, view)
    expect(problems).toMatchObject([
      { code: 'peer-restarting', severity: 'error' },
      // a peer that restarts is not dead
      { code: 'peer-down', message: expect.stringContaining('Mesh_192_0_2_9') as string },
    ])
    expect(problems[0]?.message).toContain('Mesh_192_0_2_2 is in a graceful restart, for at most 116 s more')
    expect(refusalOf(problems)).toBe('deferred')
  })

  it('is a matter of peers that are away: one that is back sends its routes', () => {
    expect(problemsOf({}, upView('old', [session(2, { restarting: { secondsLeft: null } })]))).toEqual([])
  })

  it('can be allowed', () => {
    const problems = problemsOf({}, view, { allow: ['peer-restarting'] })
    expect(problems.map(({ severity }) => severity)).toEqual(['warning', 'warning'])
  })

  it('does not put off what something else refuses', () => {
    expect(refusalOf(problemsOf({}, upView('old', [restarting], true)))).toBe('refused')
  })
})

describe('bird-recovering', () => {
  it('says when BIRD started, how long it waits, and which daemon it is', () => {
    const [daemon] = node({}, upView('2026-11-23 10:50:50', [session(2)], true)).daemons
    if (!daemon) throw new Error('no daemon')
    const bird6 = { ...daemon, endpoint: { ...daemon.endpoint, family: 6 as const } }
    const [first, second] = problemsOf({ daemons: [daemon, bird6] })
    expect(first?.message).toContain(
      'the IPv4 daemon started at 2026-11-23 10:50:50, and its graceful-restart recovery is in progress (wait timer 235/240 s)',
    )
    expect(first?.fix).toContain('"docker exec calico-node birdcl show status"')
    expect(second?.fix).toContain('"docker exec calico-node birdcl -s /var/run/calico/bird6.ctl show status"')
  })
})

describe('window-too-short', () => {
  it.each([
    ['what BIRD announces', { announcedMs: 2_000 }, {}, '2 s (the restart time that BIRD announces)'],
    ['no restart time at all', { announcedMs: 0 }, {}, '0 s (the restart time'],
    ['what the operator sets', {}, { windowMs: 19_000 }, '19 s (window in the config)'],
  ])('refuses %s', (_, changes, more, words) => {
    const problems = problemsOf(changes, undefined, more)
    expect(problems).toMatchObject([{ code: 'window-too-short', severity: 'error' }])
    expect(problems[0]?.message).toContain(words)
    expect(refusalOf(problems)).toBe('refused')
    const allowed = problemsOf(changes, undefined, { ...more, allow: ['window-too-short'] })
    expect(allowed).toMatchObject([{ code: 'window-too-short', severity: 'warning' }])
  })

  it.each([
    [{ announcedMs: 20_000 }, {}],
    [{}, { windowMs: 20_000 }],
    [{ announcedMs: 0, daemons: [], backend: 'none' }, { allow: ['no-bird'] }],
  ])('takes %j with %j', (changes, more) => {
    expect(problemsOf(changes, undefined, more).filter(({ code }) => code === 'window-too-short')).toEqual([])
  })
})
