import { spawnSync } from 'node:child_process'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { openStateDir, runsDir } from '../../agent/adapters/state-dir.ts'
import type { Plan } from '../../agent/core/plan/plan.ts'
import type { Outcome } from '../../agent/core/report/report.ts'
import type { JournalEntry } from '../../agent/journal/record.ts'
import { RunStore } from '../../agent/journal/store.ts'
import { FakeClock } from '../fakes/clock.ts'
import { MemoryFiles } from './memory-files.ts'
import { plan, problem } from './sample.ts'

const window = {
  ...{ budgetMs: 90_000, birdDownMs: 131, sessionsBackMs: 3904, recoveredMs: 4100 },
  ...{ usedMs: 4100, releasedPeers: [] },
}

async function run(store: RunStore, name: string, entries: JournalEntry[], command?: Plan['command']) {
  const journal = await store.begin('0.1.0', plan(name, command), [])
  for (const entry of entries) await journal.append(entry)
  await journal.close()
}

const finished = (outcome: Outcome): JournalEntry => ({ type: 'finished', outcome })
const pulled = (pulledBytes: number): JournalEntry => ({ type: 'verified', step: 0, pulledBytes })
const failed: JournalEntry[] = [
  { type: 'verified', step: 0, window },
  { type: 'unwinding', problem },
  finished('rolled-back'),
]

/** One run of each kind, by whomever. */
async function fill(store: RunStore): Promise<void> {
  await run(store, 'run-1', [pulled(30), finished('prefetched')], 'prefetch')
  await run(store, 'run-2', [pulled(12), finished('upgraded')])
  await run(store, 'run-3', failed)
  await run(store, 'run-4', [finished('rolled-back')], 'rollback')
  await run(store, 'run-5', [
    { type: 'stopped', problem },
    { type: 'finished', outcome: 'stuck', problem },
  ])
  await run(store, 'run-6', [
    { type: 'unwinding', problem: { ...problem, code: 'pull-failed' } },
    finished('refused'),
  ])
  await run(store, 'run-7', [finished('upgraded')])
}

const windowAt = Date.parse('2026-11-22T14:15:03Z') / 1000
const ALL = {
  runs: { prefetched: 1, upgraded: 2, 'rolled-back': 2, partial: 0, refused: 1, deferred: 0, stuck: 1 },
  failures: { 'gate-failed': 2, 'pull-failed': 1 },
  pulledBytes: 42,
  lastSuccess: windowAt,
}

describe('the figures of all runs', () => {
  let files: MemoryFiles
  let store: RunStore
  let clock: FakeClock
  beforeEach(() => {
    files = new MemoryFiles()
    clock = new FakeClock()
    store = new RunStore(files, clock)
  })

  it('begin at 0 for each outcome', async () => {
    const { runs, ...rest } = await store.figures()
    expect(new Set(Object.values(runs))).toEqual(new Set([0]))
    expect(Object.keys(runs)).toEqual(Object.keys(ALL.runs))
    expect(rest).toEqual({
      failures: {},
      pulledBytes: 0,
      lastSuccess: null,
      window: null,
      windowAt: null,
      isStuck: false,
    })
  })

  it('count each run by its end, and the open one when it has one', async () => {
    await fill(store)
    expect(await store.figures()).toEqual({ ...ALL, window, windowAt, isStuck: false })
    await run(store, 'run-8', [pulled(7)])
    expect(await store.figures()).toEqual({ ...ALL, window, windowAt, isStuck: false })
    await (await store.reopen('run-8')).append(finished('partial'))
    expect(await store.figures()).toMatchObject({ runs: { ...ALL.runs, partial: 1 }, pulledBytes: 49 })
  })

  it('say when the run of the last window began', async () => {
    await run(store, 'run-1', failed)
    expect(await store.figures()).toMatchObject({ window, windowAt })
    clock.pass(60_000)
    await run(store, 'run-2', [finished('upgraded')])
    expect(await store.figures()).toMatchObject({ window, windowAt })
    await run(store, 'run-3', failed)
    expect(await store.figures()).toMatchObject({ window, windowAt: windowAt + 60 })
  })

  it('say that a run is stuck until the next one, a prefetch aside', async () => {
    expect(await store.figures()).toMatchObject({ isStuck: false })
    await run(store, 'run-1', [{ type: 'finished', outcome: 'stuck', problem }])
    await run(store, 'run-2', [finished('prefetched')], 'prefetch')
    expect(await store.figures()).toMatchObject({ isStuck: true })
    await run(store, 'run-3', [])
    expect(await store.figures()).toMatchObject({ isStuck: false })
    await (await store.reopen('run-3')).append(finished('upgraded'))
    expect(await store.figures()).toMatchObject({ isStuck: false })
  })

  it('count each error of failed runs once, and no run that did what it was told', async () => {
    const warning = { ...problem, code: 'late', severity: 'warning' as const }
    await run(store, 'run-1', [
      { type: 'verified', step: 0, problems: [warning] },
      { type: 'stopped', problem },
      { type: 'resumed' },
      finished('upgraded'),
    ])
    expect((await store.figures()).failures).toEqual({})
  })

  it('go on where a prune ended, from the counts of an earlier one', async () => {
    await fill(store)
    for (const keep of [5, 3, 3, 1]) {
      await store.prune(keep)
      expect(await store.figures()).toMatchObject(ALL)
    }
    expect(files.texts.size).toBeLessThan(4)
  })

  it.each([
    '',
    'half of it {',
    'null',
    '[]',
    '{"v":9,"runs":[],"tally":{}}',
    '{"v":1,"runs":[],"tally":null}',
  ])('start over where the file says %j, and stop no prune', async (text) => {
    files.pruned = text
    await fill(store)
    expect(await store.figures()).toMatchObject(ALL)
    await store.prune(1)
    expect(await store.figures()).toMatchObject(ALL)
  })

  it('have all outcomes also where the file of an earlier agent has fewer', async () => {
    files.pruned =
      '{"v":1,"runs":[],"tally":{"runs":{"upgraded":3},"failures":{},"pulledBytes":1,"lastSuccess":9}}'
    expect(await store.figures()).toMatchObject({ runs: { upgraded: 3, stuck: 0 }, lastSuccess: 9 })
  })
})

describe('a prune that is killed', () => {
  /** Prunes until it is killed at the moment; false where it came to its end before. */
  function dies(stateDir: string, moment: number): boolean {
    const worker = join(import.meta.dirname, 'prune-worker.ts')
    const { signal, status, stderr } = spawnSync(process.execPath, [worker, stateDir, String(moment)], {
      encoding: 'utf8',
    })
    expect(signal ?? status, stderr).toBe(signal === null ? 0 : 'SIGKILL')
    return signal !== null
  }

  async function filled(): Promise<{ state: string; store: RunStore }> {
    const state = await mkdtemp(join(tmpdir(), 'prune-'))
    onTestFinished(() => rm(state, { recursive: true }))
    await openStateDir(state)
    const store = new RunStore(runsDir(state), new FakeClock())
    await fill(store)
    return { state, store }
  }

  it('at any moment, and killed again, counts each run once', async () => {
    let deaths = 0
    for (let moment = 1; ; moment++) {
      const { state, store } = await filled()
      if (!dies(state, moment)) break
      deaths += 1
      expect(await store.figures(), `died at ${moment}`).toMatchObject(ALL)
      dies(state, moment)
      expect(await store.figures(), `died at ${moment} again`).toMatchObject(ALL)
      // a retention that was raised leaves a journal that is counted already
      await store.prune(20)
      await run(store, `run-${10 + moment}`, [finished('upgraded')])
      await store.prune(1)
      const more = { ...ALL.runs, upgraded: ALL.runs.upgraded + 1 }
      expect(await store.figures(), `after ${moment}`).toMatchObject({ runs: more })
    }
    // around the figures and each of the two journals
    expect(deaths).toBe(6)
  })

  it('keeps its figures for root alone, beside the journals', async () => {
    const { state, store } = await filled()
    await store.prune(1)
    expect((await stat(join(state, 'pruned-runs.json'))).mode & 0o777).toBe(0o600)
    expect((await readdir(join(state, 'runs'))).sort()).toEqual(['run-1.jsonl', 'run-7.jsonl'])
    await writeFile(join(state, 'pruned-runs.json'), 'x'.repeat(2_000_000))
    await expect(store.figures()).rejects.toMatchObject({ code: expect.stringMatching(/./) as unknown })
  })
})
