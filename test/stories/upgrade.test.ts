import { describe, expect, it } from 'vitest'
import { AgentError, ExitCode } from '../../agent/core/errors.ts'
import { prefetchPlan } from '../../agent/core/plan/build.ts'
import type { App } from '../../agent/stories/app.ts'
import { fetchingPlan, prefetch } from '../../agent/stories/prefetch.ts'
import { planUpgrade, upgrade } from '../../agent/stories/upgrade.ts'
import { wanted } from '../core/observed.ts'
import { FakeHost } from '../engine/fake-host.ts'
import { RUN } from '../engine/killable-run.ts'
import { appOn } from './app-on.ts'

/** The stop comes when `prune` of the runs does, or never. */
async function upgradeOf(stops: boolean) {
  const host = await FakeHost.create()
  const stopping = new AbortController()
  const done: string[] = []
  const app = {
    version: 'test',
    ports: host.ports(),
    runs: {
      history: () => Promise.resolve([]),
      prune: () => {
        if (stops) stopping.abort(new AgentError('cancelled', 'it was stopped', { fix: 'again' }))
        return Promise.resolve()
      },
      begin: () => {
        done.push('begin')
        return Promise.reject(new Error('the disk is full'))
      },
    },
    fleet: null,
    lock: () => Promise.resolve(),
    newRun: () => RUN,
    emit: () => undefined,
    signal: stopping.signal,
  } as unknown as App
  const ended = await upgrade(app, wanted).catch((error: unknown) => (error as Error).message)
  return { ended, done }
}

describe('an upgrade that is stopped before its journal begins', () => {
  it('leaves no journal', async () => {
    expect(await upgradeOf(true)).toEqual({ ended: 'it was stopped', done: [] })
    expect(await upgradeOf(false)).toEqual({ ended: 'the disk is full', done: ['begin'] })
  })
})

describe('a prefetch', () => {
  const asked = { ...wanted, node: { ...wanted.node, image: 'calico/node:v2.6.12' } }

  it('can be asked what it would pull, and then pulls nothing', async () => {
    const host = await FakeHost.create()
    const app = appOn(host)
    const planned = await fetchingPlan(app, asked)
    expect(planned).toMatchObject({ outcome: 'planned', changed: true, run: null })
    expect(planned.steps.map(({ kind, status }) => `${kind} ${status}`)).toEqual(['pull-image pending'])
    expect(await host.docker.inspectImage('calico/node:v2.6.12')).toBeUndefined()
    expect(await app.runs.history()).toEqual([])

    expect(await prefetch(app, asked)).toMatchObject({ outcome: 'prefetched', changed: true })
    expect(await fetchingPlan(app, asked)).toMatchObject({ outcome: 'unchanged', changed: false })
  })

  it('begins nothing beside a run that was interrupted, which its own command settles', async () => {
    const app = appOn(await FakeHost.create())
    const { change } = await planUpgrade(app, asked)
    if (change === null) throw new Error('nothing to upgrade')
    await app.runs.begin('test', change.plan, [])
    await expect(prefetch(app, asked)).rejects.toMatchObject({
      code: 'unsettled-run',
      message: `cannot prefetch: run ${change.plan.run} was interrupted`,
      exitCode: ExitCode.refused,
    })
    expect((await app.runs.history()).map(({ outcome }) => outcome)).toEqual([null])
  })

  it('goes on with one that was interrupted', async () => {
    const app = appOn(await FakeHost.create())
    const { observed } = await planUpgrade(app, asked)
    await app.runs.begin('test', prefetchPlan({ run: 'cut-off', wanted: asked, observed }), [])
    await prefetch(app, asked)
    expect((await app.runs.history()).every(({ outcome }) => outcome !== null)).toBe(true)
  })

  it('that is refused says so when it is only asked', async () => {
    const host = await FakeHost.create()
    const unheard = { ...wanted, node: { ...wanted.node, image: 'calico/node:v0' } }
    const { outcome, changed, problems } = await fetchingPlan(appOn(host), unheard)
    expect({ outcome, changed }).toEqual({ outcome: 'refused', changed: false })
    expect(problems.map(({ code }) => code)).toContain('image-not-found')
  })
})
