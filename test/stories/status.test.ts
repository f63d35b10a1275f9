import { describe, expect, it } from 'vitest'
import { AgentError } from '../../agent/core/errors.ts'
import { askingNothing, type Wanted } from '../../agent/core/wanted.ts'
import { RunStore } from '../../agent/journal/store.ts'
import type { App } from '../../agent/stories/app.ts'
import { status } from '../../agent/stories/status.ts'
import { wanted } from '../core/observed.ts'
import { FakeHost } from '../engine/fake-host.ts'
import { MemoryFiles } from '../journal/memory-files.ts'
import { plan } from '../journal/sample.ts'

const asked = { ...wanted, node: { ...wanted.node, image: null } }

/** Of a host with a run that has no end yet. */
async function statusWhere(lockHolder: App['lockHolder'], wants: Wanted = asked, host?: FakeHost) {
  host ??= await FakeHost.create()
  const runs = new RunStore(new MemoryFiles(), host.clock)
  await runs.begin('0.1.0', plan('run-1'), [])
  const { signal } = new AbortController()
  const app: Pick<App, 'ports' | 'runs' | 'lockHolder' | 'signal' | 'emit' | 'newRun'> = {
    ...{ ports: host.ports(), runs, lockHolder, signal, emit: () => undefined, newRun: () => 'run-2' },
  }
  return await status(app as App, wants)
}

describe('the datastore', () => {
  const dialledFor = async (wants: Wanted) => {
    const host = await FakeHost.create({ env: ['ETCD_ENDPOINTS=http://etcd:2379'] })
    const { node } = await statusWhere(() => Promise.resolve(null), wants, host)
    expect(node).not.toBeNull()
    return host.datastore.dialled
  }

  it('is not dialled for a status, nor for a scrape of the metrics', async () => {
    expect(await dialledFor(askingNothing(wanted))).toEqual([])
  })

  it('is dialled where a rule says what would keep an upgrade back', async () => {
    expect(await dialledFor(wanted)).toEqual(['etcd:2379'])
  })
})

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
