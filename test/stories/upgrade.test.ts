import { describe, expect, it } from 'vitest'
import { AgentError } from '../../agent/core/errors.ts'
import type { App } from '../../agent/stories/app.ts'
import { upgrade } from '../../agent/stories/upgrade.ts'
import { wanted } from '../core/observed.ts'
import { FakeHost } from '../engine/fake-host.ts'
import { RUN } from '../engine/killable-run.ts'

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
