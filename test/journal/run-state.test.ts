import { describe, expect, it } from 'vitest'
import type { JournalEntry } from '../../agent/journal/record.ts'
import { applyRecord, isCommittedRun, type RunState } from '../../agent/journal/run-state.ts'
import { everyKind, plan, problem, recordsOf } from './sample.ts'

const run: JournalEntry = { type: 'run', order: 1, agent: '0.1.0', plan: plan('run-1'), problems: [] }

function stateOf(...entries: JournalEntry[]): RunState {
  const state = recordsOf(entries).reduce<RunState | null>(applyRecord, null)
  if (state === null) throw new Error('no record')
  return state
}

describe('the state of a run', () => {
  it('is that of its plan at first', () => {
    expect(stateOf(run)).toEqual({
      order: 1,
      host: null,
      plan: plan('run-1'),
      startedAt: '2026-11-22T14:15:10.000Z',
      endedAt: null,
      steps: [
        { status: 'pending', ms: 0 },
        { status: 'pending', ms: 0 },
      ],
      problems: [],
      window: null,
      controllersDownMs: null,
      pulledBytes: 0,
      unwoundCommit: null,
      unwinding: null,
      resumes: 0,
      stopped: null,
      outcome: null,
      uncordonPending: false,
      settled: false,
    })
  })

  it.each<[string, JournalEntry[], object]>([
    [
      'captured',
      [{ type: 'captured', step: 0, before: { a: 1 } }],
      { status: 'pending', before: { a: 1 }, ms: 0 },
    ],
    ['doing', [{ type: 'doing', step: 0 }], { status: 'doing', doing: { mono: 1_000, boot: 'boot-1' } }],
    [
      'done',
      [
        { type: 'doing', step: 0 },
        { type: 'done', step: 0 },
      ],
      { status: 'verifying', ms: 1_000 },
    ],
    [
      'verified',
      [
        { type: 'doing', step: 0 },
        { type: 'done', step: 0 },
        { type: 'verified', step: 0 },
      ],
      { status: 'verified', ms: 2_000 },
    ],
    [
      'undoing',
      [
        { type: 'doing', step: 0 },
        { type: 'undoing', step: 0 },
      ],
      { status: 'undoing' },
    ],
    [
      'undone',
      [
        { type: 'doing', step: 0 },
        { type: 'undone', step: 0 },
      ],
      { status: 'undone', ms: 1_000 },
    ],
    [
      'done again',
      [{ type: 'doing', step: 0 }, { type: 'resumed' }, { type: 'doing', step: 0 }],
      { doing: { mono: 1_000 } },
    ],
  ])('shows that a step is %s, and only that step', (_, entries, step) => {
    const { steps } = stateOf(run, ...entries)
    expect(steps[0]).toMatchObject(step)
    expect(steps[1]).toEqual({ status: 'pending', ms: 0 })
  })

  it('begins a step anew after a boot', () => {
    const [first, doing, again] = recordsOf([run, { type: 'doing', step: 0 }, { type: 'doing', step: 0 }])
    if (!first || !doing || !again) throw new Error('no record')
    const records = [first, doing, { ...again, boot: 'boot-2', mono: 5 }]
    const state = records.reduce<RunState | null>(applyRecord, null)
    expect(state?.steps[0]?.doing).toMatchObject({ mono: 5, boot: 'boot-2' })
  })

  it('does not measure across a boot', () => {
    const [first, doing, done] = recordsOf([run, { type: 'doing', step: 0 }, { type: 'done', step: 0 }])
    if (!first || !doing || !done) throw new Error('no record')
    const state = [first, doing, { ...done, boot: 'boot-2', mono: 5 }].reduce<RunState | null>(
      applyRecord,
      null,
    )
    expect(state?.steps[0]?.ms).toBe(0)
  })

  it('collects problems in their order, and keeps the last window', () => {
    const window = {
      budgetMs: 1,
      birdDownMs: 2,
      sessionsBackMs: 3,
      recoveredMs: 4,
      usedMs: 4,
      releasedPeers: [],
    }
    const warning = { ...problem, code: 'peer-lost', severity: 'warning' as const }
    const state = stateOf(
      run,
      { type: 'verified', step: 0, window, problems: [warning] },
      { type: 'unwinding', problem },
      { type: 'undone', step: 0 },
      { type: 'finished', outcome: 'rolled-back' },
    )
    expect(state.problems).toEqual([warning, problem])
    expect(state.window).toEqual(window)
    expect(state).toMatchObject({ unwinding: problem, outcome: 'rolled-back' })
    expect(
      stateOf(run, { type: 'verified', step: 0, window }, { type: 'undone', step: 0, window: null }).window,
    ).toBeNull()
  })

  it('counts resumes', () => {
    expect(stateOf(run, { type: 'resumed' }, { type: 'resumed' }).resumes).toBe(2)
    expect(stateOf(...everyKind)).toMatchObject({ resumes: 1, outcome: 'rolled-back' })
  })

  it('needs the run first', () => {
    expect(() => stateOf({ type: 'resumed' })).toThrow(
      /internal error: the journal does not begin with its run/,
    )
  })
})

describe('isCommittedRun', () => {
  const finished = (outcome: RunState['outcome']) => ({ type: 'finished', outcome }) as JournalEntry
  const going = (command: 'upgrade' | 'rollback' | 'prefetch'): JournalEntry => ({
    ...run,
    plan: plan('run-1', command),
  })

  it.each<[string, JournalEntry[], boolean]>([
    ['an upgrade that was kept', [going('upgrade'), finished('upgraded')], true],
    ['a rollback that was kept', [going('rollback'), finished('rolled-back')], true],
    [
      'an upgrade that went back',
      [going('upgrade'), { type: 'unwinding', problem }, finished('rolled-back')],
      false,
    ],
    [
      'a rollback that went back',
      [going('rollback'), { type: 'unwinding', problem }, finished('rolled-back')],
      false,
    ],
    ['a run that is stuck', [going('upgrade'), finished('stuck')], false],
    ['a run that goes on', [going('upgrade')], false],
    ['a prefetch', [going('prefetch'), finished('prefetched')], false],
  ])('of %s', (_, entries, committed) => {
    expect(isCommittedRun(stateOf(...entries))).toBe(committed)
  })
})
