import { beforeEach, describe, expect, it } from 'vitest'
import { MAX_JOURNAL_BYTES, MAX_PLAN_BYTES } from '../../agent/core/journal-size.ts'
import type { Plan } from '../../agent/core/plan/plan.ts'
import type { Outcome } from '../../agent/core/report/report.ts'
import { RunStore, runName } from '../../agent/journal/store.ts'
import { FakeClock } from '../fakes/clock.ts'
import { MemoryFiles } from './memory-files.ts'
import { plan } from './sample.ts'

let files: MemoryFiles
let store: RunStore

beforeEach(() => {
  files = new MemoryFiles()
  store = new RunStore(files, new FakeClock())
})

async function finishedRun(run: string, outcome: Outcome, command?: Plan['command']): Promise<void> {
  const journal = await store.begin('0.1.0', plan(run, command), [])
  await journal.append({ type: 'finished', outcome })
  await journal.close()
}

const names = async () => (await store.history()).map(({ plan: { run } }) => run)

describe('RunStore', () => {
  it('goes on where an interrupted run was torn', async () => {
    const journal = await store.begin('0.1.0', plan('run-1'), [])
    await journal.append({ type: 'doing', step: 0 })
    const whole = files.texts.get('run-1.jsonl') ?? ''
    for (const torn of ['', '0', '01234567 {"v":1,"seq":2,"type":"do', 'é'.slice(0, 1)]) {
      files.texts.set('run-1.jsonl', whole + torn)
      const reopened = await store.reopen('run-1')
      expect(reopened.state.steps[0]?.status).toBe('doing')
      await reopened.append({ type: 'done', step: 0 })
      expect((await store.history())[0]?.steps[0]?.status).toBe('verifying')
    }
  })

  it('stamps records with both clocks', async () => {
    await store.begin('0.1.0', plan('run-1'), [])
    expect(files.texts.get('run-1.jsonl')).toMatch(
      /^[0-9a-f]{8} \{"v":1,"seq":0,"at":"2026-11-22T14:15:03.000Z","mono":1000000,"boot":"boot-1","type":"run","order":1/,
    )
  })

  it('writes nothing that it could not read: a plan that is too large leaves no journal', async () => {
    const label = 'x'.repeat(MAX_PLAN_BYTES)
    const large = { ...plan('run-1'), components: { node: { from: label, to: 'calico/node:v2.6.12' } } }
    await expect(store.begin('0.1.0', large, [])).rejects.toMatchObject({ code: 'plan-too-large' })
    expect(files.texts.size).toBe(0)
  })

  it('stops where a journal could not be read any more, also after a resume', async () => {
    const before = 'x'.repeat(MAX_JOURNAL_BYTES / 2 - 1000)
    await (await store.begin('0.1.0', plan('run-1'), [])).append({ type: 'captured', step: 0, before })
    const journal = await store.reopen('run-1')
    await expect(
      journal.append({ type: 'captured', step: 1, before: before + before }),
    ).rejects.toMatchObject({ code: 'journal-full' })
    await journal.append({ type: 'doing', step: 0 })
    expect(Buffer.byteLength(files.texts.get('run-1.jsonl') ?? '')).toBeLessThanOrEqual(MAX_JOURNAL_BYTES)
    expect((await store.history())[0]?.steps[0]?.status).toBe('doing')
  })

  it('never begins a run over another', async () => {
    await store.begin('0.1.0', plan('run-1'), [])
    await expect(store.begin('0.1.0', plan('run-1'), [])).rejects.toThrow('run-1.jsonl exists')
  })

  it('shows the run that began last first, wherever the clock stood, and no other files', async () => {
    for (const run of ['20261122T141503Z-7f3a', '20261123T000000Z-0000', '20251122T141503Z-ffff']) {
      await finishedRun(run, 'upgraded')
    }
    files.texts.set('20261124T000000Z-0000.jsonl', '01234567 {"v":1')
    files.texts.set('notes.txt', 'not a journal')
    expect(await names()).toEqual(['20251122T141503Z-ffff', '20261123T000000Z-0000', '20261122T141503Z-7f3a'])
  })

  it('refuses a history with a damaged journal in it, and names the file', async () => {
    await finishedRun('run-1', 'upgraded')
    await finishedRun('run-2', 'upgraded')
    files.texts.set('run-1.jsonl', (files.texts.get('run-1.jsonl') ?? '').replace('upgraded', 'upgradet'))
    await expect(store.history()).rejects.toMatchObject({
      code: 'journal-damaged',
      message: expect.stringContaining('cannot read the journal /state/runs/run-1.jsonl: ') as unknown,
      fix: expect.stringContaining('move /state/runs/run-1.jsonl away') as unknown,
    })
  })

  it.each<[number, [string, Outcome][], string[]]>([
    [
      2,
      [
        ['run-1', 'upgraded'],
        ['run-2', 'upgraded'],
        ['run-3', 'upgraded'],
      ],
      ['run-3', 'run-2'],
    ],
    [
      2,
      [
        ['run-1', 'upgraded'],
        ['run-2', 'stuck'],
        ['run-3', 'refused'],
      ],
      ['run-3', 'run-2', 'run-1'],
    ],
    [
      1,
      [
        ['run-1', 'upgraded'],
        ['run-2', 'upgraded'],
        ['run-3', 'refused'],
      ],
      ['run-3', 'run-2'],
    ],
    [
      0,
      [
        ['run-1', 'refused'],
        ['run-2', 'upgraded'],
      ],
      ['run-2'],
    ],
    [
      5,
      [
        ['run-1', 'refused'],
        ['run-2', 'refused'],
      ],
      ['run-2', 'run-1'],
    ],
  ])('keeps %d runs and the one that can be rolled back', async (keep, runs, left) => {
    for (const [run, outcome] of runs) await finishedRun(run, outcome)
    await store.prune(keep)
    expect(await names()).toEqual(left)
  })
})

it('keeps the journal of a run that has no end yet, however many came after it', async () => {
  await store.begin('0.1.0', plan('run-1'), [])
  for (const run of ['run-2', 'run-3', 'run-4']) await finishedRun(run, 'upgraded')
  await store.prune(1)
  expect(await names()).toEqual(['run-4', 'run-1'])
})

it('counts prefetches alone, which push out no journal of an upgrade', async () => {
  await finishedRun('run-1', 'upgraded')
  await finishedRun('run-2', 'rolled-back')
  for (const run of ['run-3', 'run-4', 'run-5']) await finishedRun(run, 'prefetched', 'prefetch')
  await store.prune(2)
  expect(await names()).toEqual(['run-5', 'run-4', 'run-2', 'run-1'])
})

describe('runName', () => {
  it('sorts by time', () => {
    expect(runName(new Date('2026-11-22T14:15:03.123Z'), '7f3a')).toBe('20261122T141503Z-7f3a')
  })
})
