import { describe, expect, it } from 'vitest'
import type { App } from '../agent/app.ts'
import { AgentError } from '../agent/core/errors.ts'
import { RunStore } from '../agent/journal/store.ts'
import { status } from '../agent/status.ts'
import { wanted } from './core/observed.ts'
import { FakeHost } from './engine/fake-host.ts'
import { MemoryFiles } from './journal/memory-files.ts'
import { plan } from './journal/sample.ts'

const asked = { ...wanted, node: { ...wanted.node, image: null } }

/** Of a host with a run that has no end yet. */
async function statusWhere(lockHolder: App['lockHolder']) {
  const host = await FakeHost.create()
  const runs = new RunStore(new MemoryFiles(), host.clock)
  await runs.begin('0.1.0', plan('run-1'), [])
  const { signal } = new AbortController()
  const app: Pick<App, 'ports' | 'runs' | 'lockHolder' | 'signal'> = {
    ...{ ports: host.ports(), runs, lockHolder, signal },
  }
  return await status(app as App, asked)
}

describe('a run that has no end yet', () => {
  it.each([
    ['is at work where an agent holds the lock', { pid: 7, command: 'upgrade' }],
    ['was interrupted where none does', null],
  ])('%s', async (_, holder) => {
    const { unfinishedRun, problems } = await statusWhere(() => Promise.resolve(holder))
    expect(unfinishedRun).toMatchObject({ run: 'run-1', command: 'upgrade', atWork: holder })
    expect(problems).toEqual([])
  })

  it('is told also where the lock cannot be looked at', async () => {
    const error = new AgentError('lock-unusable', 'cannot run flock: ENOENT', { fix: 'install util-linux' })
    const { unfinishedRun, problems } = await statusWhere(() => Promise.reject(error))
    expect(unfinishedRun).toMatchObject({ run: 'run-1', atWork: null })
    expect(problems).toMatchObject([{ code: 'lock-unusable' }])
  })
})
