import { describe, expect, it } from 'vitest'
import { RunStore } from '../../agent/journal/store.ts'
import { renderHistory } from '../../agent/report/history.ts'
import { historyPage } from '../../agent/report/history-page.ts'
import { history, newestRun } from '../../agent/stories/history/history.ts'
import { FakeClock } from '../fakes/clock.ts'
import { everyKind, plan, problem, recordsOf, textOf } from '../journal/sample.ts'

const FAILED = '20261122T141503Z-7f3a'
const OPEN = '20261123T141503Z-0000'

/** A run that went back, with every kind of record a second apart, and a newer one that was interrupted. */
function app(here?: string, there?: string) {
  const open = recordsOf([
    { type: 'run', order: 2, agent: '0.2.0', plan: plan(OPEN), problems: [] },
    { type: 'doing', step: 0 },
  ])
  const [begin, ...rest] = everyKind
  const host = there === undefined ? undefined : { machine: null, name: there }
  const failed = begin?.type === 'run' && host ? [{ ...begin, host }, ...rest] : everyKind
  const texts = new Map([
    [`${FAILED}.jsonl`, textOf(recordsOf(failed))],
    [`${OPEN}.jsonl`, textOf(open)],
  ])
  const none = () => Promise.reject(new Error('history changes nothing'))
  const files = {
    directory: '/runs',
    list: () => Promise.resolve([...texts.keys()]),
    read: (name: string) => Promise.resolve(texts.get(name) ?? ''),
    open: none,
    remove: none,
    readPruned: none,
    writePruned: none,
  }
  return {
    runs: new RunStore(files, new FakeClock(), here === undefined ? null : { machine: null, name: here }),
  }
}

describe('history', () => {
  it('lists the runs, newest first', async () => {
    const { runs, timeline } = await history(app(), undefined)
    expect(timeline).toBeNull()
    expect(runs).toMatchObject([
      { run: OPEN, endedAt: null, command: 'upgrade', outcome: null },
      { run: FAILED, startedAt: '2026-11-22T14:15:10.000Z', endedAt: '2026-11-22T14:15:21.000Z' },
    ])
    expect(runs[1]).toMatchObject({
      outcome: 'rolled-back',
      components: { node: { from: 'calico/node:v2.6.5', to: 'calico/node:v2.6.12' } },
    })
    expect(await newestRun(app())).toBe(OPEN)
  })

  it('tells one run from its journal', async () => {
    const { runs, timeline, problems } = await history(app(), FAILED)
    expect(runs.map(({ run }) => run)).toEqual([FAILED])
    expect(timeline).toMatchObject({ run: FAILED, agent: '0.1.0', window: null })
    expect(
      timeline?.steps.map(({ beganMs, endedMs, undoingMs, undoneMs }) => [
        beganMs,
        endedMs,
        undoingMs,
        undoneMs,
      ]),
    ).toEqual([
      [2_000, 4_000, null, null],
      [6_000, null, 9_000, 10_000],
    ])
    expect(timeline?.events).toEqual([
      { ms: 0, event: 'began', text: 'upgrade by agent 0.1.0' },
      { ms: 7_000, event: 'resumed', text: 'resumed after an interruption' },
      { ms: 8_000, event: 'going-back', text: problem.message },
      { ms: 11_000, event: 'finished', text: 'rolled-back' },
    ])
    expect(problems).toEqual([problem, problem])
  })

  it('goes on by the wall clock after a boot', async () => {
    const store = app().runs
    const records = await store.records(FAILED)
    store.records = () =>
      Promise.resolve(
        records.map((one) => (one.seq < 7 ? one : { ...one, boot: 'boot-2', mono: one.mono - 7_000 })),
      )
    const { timeline } = await history({ runs: store }, FAILED)
    expect(timeline?.events.map(({ ms }) => ms)).toEqual([0, 7_000, 8_000, 11_000])
  })

  it('names the runs that there are to whoever asks for another', async () => {
    await expect(history(app(), 'nope')).rejects.toMatchObject({
      code: 'unknown-run',
      exitCode: 2,
      message: 'cannot show nope: no run has this name',
      fix: `runs on record: ${OPEN}, ${FAILED}`,
    })
  })
})

describe('the text', () => {
  it('has a line for each run', async () => {
    const lines = renderHistory(await history(app(), undefined), { color: false }).split('\n')
    const change = 'node calico/node:v2.6.5 -> calico/node:v2.6.12'
    expect(lines).toEqual([
      `${OPEN}  2026-11-22 14:15:10Z  upgrade  unfinished   ${change}`,
      `${FAILED}  2026-11-22 14:15:10Z  upgrade  rolled-back  ${change}`,
    ])
  })

  it('has a line for each moment of a run, in their order', async () => {
    const text = renderHistory(await history(app(), FAILED), { color: false })
    expect(text.split('\n').map((line) => line.trim())).toEqual(
      expect.arrayContaining([
        '2.000 s  [1/2] pull calico/node:v2.6.12',
        '4.000 s  [1/2] done in 2.0 s',
        '8.000 s  rolling back: cannot keep the new container: peer “host-é” ✗',
        '9.000 s  [2/2] undoing',
        '10.000 s  [2/2] undone',
        '11.000 s  finished: rolled-back',
      ]),
    )
    const times = [...text.matchAll(/^ +([\d.]+) s /gm)].map(([, time]) => Number(time))
    expect(times).toEqual(times.toSorted((one, other) => one - other))
  })
})

describe('the page', () => {
  it('is one file without scripts, and shows words as words', async () => {
    const { timeline, problems } = await history(app(), FAILED)
    if (timeline === null) throw new Error('no timeline')
    const hostile = '</td><script>alert("x")</script><img src=//evil.example onerror=alert(1)>'
    const [step] = timeline.steps
    if (step) step.summary = hostile
    const window = {
      ...{ budgetMs: 90_000, birdDownMs: 131, sessionsBackMs: 3_904, recoveredMs: 4_100, usedMs: 4_100 },
      releasedPeers: ['<b>'],
    }
    const asked = [{ ...problem, message: hostile, fix: "it's & so" }, ...problems]
    const page = historyPage({ ...timeline, run: hostile, window }, asked)
    const tags = new Set([...page.matchAll(/<\/?([a-z]\w*)/gi)].map(([, tag = '']) => tag.toLowerCase()))
    expect([...tags].sort()).toEqual(
      (
        'b body caption circle dd desc div dl dt figure h1 h2 h3 head html li line main meta p polygon rect ' +
        'section small span style svg table tbody td text th thead title tr tspan ul wbr'
      ).split(' '),
    )
    expect(page).not.toMatch(/<[^>]*\s(src|href|on\w+)=/)
    expect(page).toContain('it&#39;s &amp; so')
    expect(page).toContain('Restart window <span>4.1 s of 90 s used</span>')
    expect(page.match(/<circle/g)).toHaveLength(4)
    expect(page).toContain('<title>at work from 6.000 s to 9.000 s, undone from 9.000 s to 10.000 s</title>')
  })

  it('names the host in its title and heading: that of the journal, else this one', async () => {
    const { timeline } = await history(app('host-7'), FAILED)
    if (timeline === null) throw new Error('no timeline')
    const page = historyPage(timeline, [])
    expect(page).toContain(`<title>host-7: upgrade, rolled back (${FAILED})</title>`)
    expect(page).toContain('<h1>host-7: upgrade, <span class="warn">rolled back</span></h1>')
    const moved = await history(app('host-7', 'host-1'), FAILED)
    expect(moved.timeline?.host).toBe('host-1')
    expect((await history(app(), FAILED)).timeline?.host).toBeNull()
  })

  it('draws the moments of the window up to the commit', async () => {
    const { timeline } = await history(app(), FAILED)
    const [pulled] = timeline?.steps ?? []
    if (!timeline || !pulled) throw new Error('no timeline')
    const step = { ...pulled, beganMs: 0, undoingMs: null, undoneMs: null }
    const steps = [
      { ...step, kind: 'swap-container', endedMs: 15_000 } as const,
      { ...step, kind: 'commit', endedMs: 15_020 } as const,
    ]
    const window = {
      ...{ budgetMs: 90_000, birdDownMs: 131, sessionsBackMs: 3_904, recoveredMs: 4_100, usedMs: 4_100 },
      ...{ settledMs: 14_100, releasedPeers: [] },
    }
    const kept = historyPage({ ...timeline, outcome: 'upgraded', steps, window }, [])
    expect(kept).toContain('recovered at 4.100 s, settled at 14.100 s, commit at 14.120 s.')
    const back = historyPage({ ...timeline, steps, window }, [])
    expect(back).toContain('old BIRD up again at 0.131 s, sessions back at 3.904 s, recovered at 4.100 s.')
  })

  it('ends with the run, however late an uncordon was that was pending', async () => {
    const { timeline } = await history(app(), FAILED)
    if (timeline === null) throw new Error('no timeline')
    const late = { ms: 3_600_000, event: 'uncordoned', text: 'done' } as const
    const page = historyPage({ ...timeline, events: [...timeline.events, late] }, [])
    expect(page).toContain('Steps <span>11.0 s in total</span>')
  })
})
