import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  atStart,
  type ConfigSnapshot,
  dueAt,
  type End,
  type LoopState,
  nextJob,
  onConfigRead,
  onJobEnd,
  onJobStart,
  onReload,
  onStop,
  onTargetHeld,
  onTargetReleased,
  onWaiting,
  serviceState,
  waitsInVain,
} from '../../agent/service/loop.ts'

const valid = (target: string | null, apply: 'auto' | 'manual' = 'auto'): ConfigSnapshot => ({
  kind: 'valid',
  target,
  apply,
  fingerprint: String(target),
})
const invalid: ConfigSnapshot = { kind: 'invalid', problems: [] }

/** A small language for what happens: `see A`, `invalid`, `do END`, `HUP`, `TERM`, `wait MS`. */
function play(...story: string[]): { state: LoopState; jobs: string[]; now: number } {
  let state = atStart
  let now = 0
  const jobs: string[] = []
  for (const step of story) {
    const [verb = '', what = ''] = step.split(' ')
    if (verb === 'see') state = onConfigRead(state, valid(what))
    if (verb === 'manual') state = onConfigRead(state, valid(what, 'manual'))
    if (verb === 'invalid') state = onConfigRead(state, invalid)
    if (verb === 'HUP') state = onReload(state)
    if (verb === 'TERM') state = onStop(state)
    if (verb === 'wait') now += Number(what)
    if (verb === 'begin' || verb === 'do') {
      const kind = nextJob(state, now)
      jobs.push(
        kind === null
          ? 'none'
          : `${kind} ${state.snapshot?.kind === 'valid' ? String(state.snapshot.target) : ''}`,
      )
      if (kind !== null) state = onJobStart(state, kind)
    }
    if (verb === 'end' || (verb === 'do' && state.job !== null)) state = onJobEnd(state, what as End, now)
  }
  return { state, jobs, now }
}

describe('the loop', () => {
  it.each<[string, string[], string[]]>([
    [
      'resumes before it applies',
      ['see A', 'do done', 'do done', 'do done'],
      ['resume A', 'apply A', 'none'],
    ],
    ['does nothing without a valid config', ['invalid', 'do done'], ['none']],
    [
      'does nothing where the config asks for nothing',
      ['manual x', 'do done', 'do done'],
      ['resume x', 'none'],
    ],
    [
      'does one at a time, and then the newest alone',
      ['see A', 'do done', 'begin', 'see B', 'begin', 'see C', 'end done', 'do done', 'do done'],
      ['resume A', 'apply A', 'none', 'apply C', 'none'],
    ],
    [
      'does not try again what failed',
      ['see A', 'do done', 'do failed', 'see A', 'wait 9999999', 'do done'],
      ['resume A', 'apply A', 'none'],
    ],
    [
      'tries again when the config has changed',
      ['see A', 'do done', 'do failed', 'see B', 'do done', 'see A', 'do done'],
      ['resume A', 'apply A', 'apply B', 'apply A'],
    ],
    [
      'tries again when told, and resumes first',
      ['see A', 'do done', 'do failed', 'HUP', 'do done', 'do done', 'do done'],
      ['resume A', 'apply A', 'resume A', 'apply A', 'none'],
    ],
    [
      'is not moved by an invalid config, nor by the same one after it',
      ['see A', 'do done', 'do done', 'invalid', 'do done', 'see A', 'do done'],
      ['resume A', 'apply A', 'none', 'none'],
    ],
    [
      'tries what was refused later, and later still',
      [
        'see A',
        'do done',
        'do refused',
        'wait 59999',
        'do done',
        'wait 1',
        'do refused',
        'wait 119999',
        'do x',
        'wait 1',
        'do done',
      ],
      ['resume A', 'apply A', 'none', 'apply A', 'none', 'apply A'],
    ],
    [
      'tries a changed config at once, whatever was refused',
      ['see A', 'do done', 'do refused', 'see B', 'do done'],
      ['resume A', 'apply A', 'apply B'],
    ],
    [
      'waits for another agent, whatever changes',
      ['see A', 'do done', 'do deferred', 'see B', 'do x', 'wait 10000', 'do done'],
      ['resume A', 'apply A', 'none', 'apply B'],
    ],
    [
      'resumes again what Docker kept open',
      ['see A', 'do done', 'do unfinished', 'see B', 'do x', 'wait 60000', 'do done', 'do done'],
      ['resume A', 'apply A', 'none', 'resume B', 'apply B'],
    ],
    [
      'applies nothing to a host that is stuck until it is told to',
      ['see A', 'do stuck', 'see B', 'do x', 'HUP', 'do done', 'do done'],
      ['resume A', 'none', 'resume B', 'apply B'],
    ],
    ['begins nothing when it stops', ['see A', 'do done', 'TERM', 'do x'], ['resume A', 'none']],
  ])('%s', (_, story, jobs) => {
    expect(play(...story).jobs).toEqual(jobs)
  })

  it.each<[string, string[]]>([
    ['idle', ['see A', 'do done', 'do done']],
    ['idle', []],
    ['resuming', ['see A', 'begin']],
    ['applying', ['see A', 'do done', 'begin']],
    ['config-invalid', ['invalid']],
    ['held', ['see A', 'do done', 'do failed']],
    ['idle', ['see A', 'do done', 'do failed', 'see B']],
    ['retrying', ['see A', 'do done', 'do refused']],
    ['stuck', ['see A', 'do done', 'do stuck']],
    ['manual', ['manual A', 'do done']],
    ['stopping', ['see A', 'begin', 'TERM']],
  ])('is %s after %j', (expected, story) => {
    expect(serviceState(play(...story).state)).toBe(expected)
  })

  it('is idle where nothing is asked for, whoever applies', () => {
    expect(serviceState(onConfigRead(play('do done').state, valid(null, 'manual')))).toBe('idle')
  })

  it('holds what the journal speaks against until the config changes, or an operator has settled it', () => {
    const { state } = play('see A', 'do done')
    const holding = onTargetHeld(state, { stuck: false })
    expect([serviceState(holding), nextJob(holding, 0)]).toEqual(['held', null])
    expect(nextJob(onConfigRead(holding, valid('B')), 0)).toBe('apply')
    expect([serviceState(onTargetReleased(holding)), nextJob(onTargetReleased(holding), 0)]).toEqual([
      'idle',
      null,
    ])
    const stuck = onTargetHeld(state, { stuck: true })
    expect([serviceState(stuck), nextJob(onConfigRead(stuck, valid('B')), 0)]).toEqual(['stuck', null])
    expect(nextJob(onConfigRead(onTargetReleased(stuck), valid('B')), 0)).toBe('apply')
  })

  it('never waits for more than an hour, and says until when', () => {
    const { state, now } = play(
      'see A',
      'do done',
      ...Array.from({ length: 20 }, () => ['wait 3600000', 'do refused']).flat(),
    )
    expect(dueAt(state)).toBe(now + 3_600_000)
  })

  it('has one job at most, and never repeats by itself what was done or failed', () => {
    const ends = ['done', 'failed', 'refused', 'deferred', 'unfinished', 'stuck']
    const step = fc.oneof(
      fc.constantFrom('see A', 'see B', 'invalid', 'begin', 'wait 30000', 'HUP'),
      fc.constantFrom(...ends.map((end) => `do ${end}`)),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (story) => {
        // A second job can only begin when the first has ended.
        let state = atStart
        let now = 0
        let settled = ''
        for (const one of story) {
          const [verb = '', what = ''] = one.split(' ')
          if (verb === 'see') state = onConfigRead(state, valid(what))
          if (verb === 'invalid') state = onConfigRead(state, invalid)
          if (verb === 'wait') now += Number(what)
          if (verb === 'HUP') [state, settled] = [onReload(state), '']
          const kind = verb === 'begin' || verb === 'do' ? nextJob(state, now) : null
          if (kind === null) continue
          expect(state.job).toBeNull()
          if (kind === 'apply') expect(state.snapshot).not.toMatchObject({ fingerprint: settled })
          state = onJobStart(state, kind)
          const end = verb === 'do' ? (what as End) : 'done'
          if (kind === 'apply' && ['done', 'failed'].includes(end)) settled = state.job?.fingerprint ?? ''
          state = onJobEnd(state, end, now)
        }
      }),
    )
  })
})

describe('a job that waits for other hosts', () => {
  const waiting = (apply: 'auto' | 'manual' = 'auto'): LoopState => {
    const started = onJobStart(onConfigRead({ ...atStart, resumeDue: false }, valid('A', apply)), 'apply')
    return onWaiting(started, 'host-2 is at work')
  }

  it('is shown as that, until it goes on', () => {
    expect(serviceState(waiting())).toBe('waiting')
    expect(serviceState(onWaiting(waiting(), null))).toBe('applying')
  })

  it('waits for what the config asks for, and for nothing else', () => {
    expect(waitsInVain(waiting())).toBe(false)
    expect(waitsInVain(onConfigRead(waiting(), invalid))).toBe(false)
    expect(waitsInVain(onConfigRead(waiting(), valid('B')))).toBe(true)
    expect(waitsInVain(onConfigRead(waiting(), valid('A', 'manual')))).toBe(true)
    const other = onConfigRead(waiting(), valid('B'))
    expect(nextJob(onJobEnd(other, 'deferred', 0), 0)).toBe('apply')
    expect(nextJob(onJobEnd(waiting(), 'deferred', 0), 0)).toBeNull()
    // once it works, it goes on to its end
    expect(waitsInVain(onConfigRead(onWaiting(waiting(), null), valid('B')))).toBe(false)
  })
})
