import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AgentError, ExitCode } from '../../../agent/core/errors.ts'
import type { Fleet } from '../../../agent/ports/fleet.ts'
import type { App } from '../../../agent/stories/app.ts'
import { resume } from '../../../agent/stories/resume.ts'
import { upgrade } from '../../../agent/stories/upgrade.ts'
import { wanted as anyHost } from '../../core/observed.ts'
import { FakeHost } from '../../engine/fake-host.ts'
import { MemoryStore } from '../../fakes/fleet-store.ts'
import { FleetLockServer } from '../../fleet/fleetlock-server.ts'
import { hostAt, hostOn } from '../../fleet/group-on.ts'
import { appOn } from '../app-on.ts'

const wanted = { ...anyHost, windowMs: 20_000, settleMs: 1_000 }
const target = wanted.node.image ?? ''
const locked = (): AgentError =>
  new AgentError('locked', 'another agent is at work', { fix: 'wait', exitCode: ExitCode.deferred })
const cancel = (): void => {
  stopped.abort(new AgentError('cancelled', 'stopped', { fix: 'run it again' }))
}

let stopped: AbortController

/** An upgrade with --wait, that is stopped by Ctrl-C. */
async function waiting(fleet: Fleet, more: Partial<App> = {}): Promise<App> {
  stopped = new AbortController()
  const { signal } = stopped
  const wait = { signal, mayStart: () => Promise.resolve() }
  return appOn(await FakeHost.create(), { fleet, signal, wait, ...more })
}

/** The first try takes the lock; those after it are refused, as long as there is a refusal left. */
function locks(...refusals: AgentError[]): App['lock'] {
  const answers = [undefined, ...refusals]
  return () => {
    const refusal = answers.shift()
    return refusal ? Promise.reject(refusal) : Promise.resolve()
  }
}

async function failureOf(work: Promise<unknown>): Promise<string[]> {
  const error = await work.catch((thrown: unknown) => thrown)
  if (!(error instanceof AgentError)) throw error
  return error.asProblems().map(({ code }) => code)
}

describe('a slot that was taken, and nothing comes of it', () => {
  let store: MemoryStore
  const other = (): Promise<void> => hostOn(store, 'host-2').take({ run: 'run-of-host-2', target })

  beforeEach(() => {
    store = new MemoryStore()
  })

  it('is free again where the operator stops the agent at that moment', async () => {
    const write = store.write.bind(store)
    store.write = async (...args) => {
      const isWritten = await write(...args)
      cancel()
      return isWritten
    }
    expect(await failureOf(upgrade(await waiting(hostOn(store, 'host-1')), wanted))).toEqual(['cancelled'])
    await other()
  })

  it('is free again where the answer was lost, and the operator waits no longer', async () => {
    const app = await waiting(hostOn(store, 'host-1'))
    const write = store.write.bind(store)
    store.write = async (...args) => {
      store.fault = () => 'after'
      return await write(...args)
    }
    app.emit = (event) => {
      if (event.type !== 'waiting' || event.reason?.code !== 'fleet-unreachable') return
      store.write = write
      store.fault = () => 'none'
      cancel()
    }
    expect(await failureOf(upgrade(app, wanted))).toEqual(['cancelled'])
    await other()
  })

  it.each(['locked', 'lock-unusable', 'state-dir-unusable'])(
    'is free again where the host cannot be locked then: %s',
    async (code) => {
      const refusal = new AgentError(code, 'cannot lock', { fix: 'none' })
      const app = await waiting(hostOn(store, 'host-1'), { lock: locks(refusal) })
      expect(await failureOf(upgrade(app, wanted))).toEqual([code])
      await other()
    },
  )
})

describe('a slot of a FleetLock server, which knows hosts only', () => {
  let server: FleetLockServer
  const other = (): Promise<void> => hostAt(server.url, 'host-2').take({ run: 'run-of-host-2', target })

  beforeEach(async () => {
    server = await FleetLockServer.start(() => new MemoryStore())
  })
  afterEach(() => {
    server.stop()
  })

  it('is free again where the operator stops the agent as it is taken', async () => {
    const fleet = hostAt(server.url, 'host-1')
    const waitFor = fleet.waitFor.bind(fleet)
    fleet.waitFor = async (...args) => {
      await waitFor(...args)
      cancel()
    }
    expect(await failureOf(upgrade(await waiting(fleet), wanted))).toEqual(['cancelled'])
    await other()
  })

  it('is free again where another agent had the lock for a moment', async () => {
    const app = await waiting(hostAt(server.url, 'host-1'), { lock: locks(locked()) })
    expect(await failureOf(upgrade(app, wanted))).toEqual(['locked'])
    await other()
  })

  it('may be of the agent that has the lock: it stays, until somebody has the lock', async () => {
    const app = await waiting(hostAt(server.url, 'host-1'), { lock: locks(locked(), locked()) })
    expect(await failureOf(upgrade(app, wanted))).toEqual(['locked', 'slot-pending'])
    await expect(other()).rejects.toMatchObject({ code: 'slot-held' })
    expect(await resume(app, wanted)).toMatchObject({ outcome: 'unchanged' })
    await other()
  })
})

describe('a slot that an earlier turn of this host could not give back', () => {
  async function ended(lock: App['lock'], cancelledAfterMs: number): Promise<{ outcome: string } | string[]> {
    const store = new MemoryStore()
    await hostOn(store, 'host-1').take({ run: 'earlier', target })
    const [read, failures] = [
      store.read.bind(store),
      [new AgentError('fleet-unreachable', 'away', { fix: 'x' })],
    ]
    store.read = () => {
      const failure = failures.pop()
      return failure ? Promise.reject(failure) : read()
    }
    const work = upgrade(await waiting(hostOn(store, 'host-1'), { lock }), wanted)
    setTimeout(cancel, cancelledAfterMs).unref()
    return await work.catch((error: unknown) => (error as AgentError).asProblems().map(({ code }) => code))
  }

  it('is not waited for', async () => {
    expect(await ended(locks(), 60_000)).toMatchObject({ outcome: 'upgraded' })
  })

  it('is left to an agent that is at work on this host meanwhile', async () => {
    expect(await ended(locks(locked(), locked()), 1_500)).toContain('cancelled')
  })
})
