import { describe, expect, it } from 'vitest'
import type { JournalFiles } from '../../agent/journal/store.ts'
import { RunStore } from '../../agent/journal/store.ts'
import type { App } from '../../agent/stories/app.ts'
import { resume } from '../../agent/stories/resume.ts'
import { wanted } from '../core/observed.ts'
import { FakeHost } from '../engine/fake-host.ts'
import { RUN } from '../engine/killable-run.ts'
import { awayError } from '../fakes/kubernetes.ts'

/** A host whose run is committed, and whose API server went away in the middle. */
async function withPendingUncordon() {
  const host = await FakeHost.create({ inCluster: true })
  const { cluster } = host
  if (!cluster) throw new Error('no cluster')
  host.agent.onMove = (_move, what) => {
    if (what === 'killContainer') cluster.away = awayError()
  }
  expect(await host.run()).toBe('upgraded')
  const runs = new RunStore(filesOf(host.agent), host.clock)
  const app = {
    ports: host.ports(),
    runs,
    fleet: null,
    lock: () => Promise.resolve(),
    emit: () => undefined,
    signal: new AbortController().signal,
  } as unknown as App
  return { cluster, app, runs }
}

/** The one journal of the agent. */
function filesOf(disk: { text: string }): JournalFiles {
  return {
    directory: '/runs',
    list: () => Promise.resolve([`${RUN}.jsonl`]),
    read: () => Promise.resolve(disk.text),
    open: () =>
      Promise.resolve({
        append: (text: string) => {
          disk.text += text
          return Promise.resolve()
        },
        close: () => Promise.resolve(),
      }),
    remove: () => Promise.reject(new Error('it was removed')),
    readPruned: () => Promise.resolve(null),
    writePruned: () => Promise.reject(new Error('it was removed')),
  }
}

describe('an uncordon that is pending', () => {
  it('is put off as long as the API server is away, and done when it answers', async () => {
    const { cluster, app, runs } = await withPendingUncordon()
    const away = await resume(app, wanted)
    expect(away).toMatchObject({ outcome: 'deferred', problems: [{ code: 'uncordon-pending' }] })

    cluster.away = null
    expect((await resume(app, wanted)).outcome).toBe('unchanged')
    expect(cluster.node.spec?.unschedulable).toBeUndefined()
    expect(await runs.history()).toMatchObject([{ uncordonPending: false, outcome: 'upgraded' }])
    // nothing more is to be done
    cluster.away = awayError()
    expect((await resume(app, wanted)).outcome).toBe('unchanged')
  })

  it('keeps its journal from being removed', async () => {
    const { cluster, app, runs } = await withPendingUncordon()
    expect(await runs.beyond(0)).toEqual([])
    cluster.away = null
    await resume(app, wanted)
    // the last committed run stays for its rollback
    expect(await runs.beyond(0)).toEqual([])
  })

  it('leaves a Node alone that somebody has cordoned since', async () => {
    const { cluster, app } = await withPendingUncordon()
    cluster.setUnschedulable(false, 'kubectl')
    cluster.setUnschedulable(true, 'kubectl')
    cluster.away = null
    expect((await resume(app, wanted)).outcome).toBe('unchanged')
    expect(cluster.node.spec?.unschedulable).toBe(true)
  })
})
