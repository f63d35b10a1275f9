import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { configSchema } from '../../agent/config/schema.ts'
import { wantedOf } from '../../agent/config/wanted.ts'
import { AgentError, ExitCode } from '../../agent/core/errors.ts'
import type { RunState } from '../../agent/journal/run-state.ts'
import { readConfig } from '../../agent/service/config-snapshot.ts'
import { createJobs } from '../../agent/service/jobs.ts'
import type { App } from '../../agent/stories/app.ts'
import { FakeFleet } from '../fakes/fleet.ts'

const config = configSchema.parse({ node: { image: 'calico/node:v2' } })
const error = (code: string, exitCode: ExitCode = ExitCode.refused): AgentError =>
  new AgentError(code, `cannot: ${code}`, { fix: 'mend it', exitCode })

const never = new AbortController().signal

interface World {
  /** Thrown by what a job does first. */
  lock?: Error
  open?: Error
  history?: RunState[]
}

function jobs({ lock, open, history = [] }: World) {
  let closed = 0
  const app = {
    fleet: null,
    lock: () => (lock ? Promise.reject(lock) : Promise.resolve()),
    runs: { history: () => Promise.resolve(history) },
  } as unknown as App
  const made = createJobs(() => {
    if (open) return Promise.reject(open)
    return Promise.resolve({ app, wanted: wantedOf(config, []), end: () => (closed += 1) })
  }, never)
  return {
    run: (kind: 'resume' | 'apply') => made.run(kind, config, () => undefined, never),
    held: () => made.held(config),
    closed: () => closed,
  }
}

describe('a job', () => {
  it.each<[string, 'resume' | 'apply', World, string]>([
    ['finds nothing to resume', 'resume', {}, 'done'],
    ['meets another agent', 'resume', { lock: error('locked', ExitCode.deferred) }, 'deferred'],
    ['meets another agent', 'apply', { lock: error('locked', ExitCode.deferred) }, 'deferred'],
    ['cannot begin to resume', 'resume', { lock: error('state-dir-unusable') }, 'unfinished'],
    ['cannot begin to apply', 'apply', { lock: error('state-dir-unusable') }, 'refused'],
    ['cannot read a journal', 'resume', { lock: error('journal-damaged', ExitCode.stuck) }, 'stuck'],
    ['cannot open the host', 'apply', { open: error('docker-unreachable') }, 'refused'],
  ])('that %s (%s) ends as that', async (_, kind, world, end) => {
    const one = jobs(world)
    expect((await one.run(kind)).end).toBe(end)
    expect(one.closed()).toBe(world.open ? 0 : 1)
  })

  it('that meets a bug throws it, and leaves the host unlocked', async () => {
    const one = jobs({ lock: new TypeError('a bug') })
    await expect(one.run('apply')).rejects.toThrow('a bug')
    expect(one.closed()).toBe(1)
  })

  it('is held by what the journals say of the image', async () => {
    const run = {
      plan: { run: 'r1', command: 'upgrade', components: { node: { from: 'x', to: 'calico/node:v2' } } },
      outcome: 'rolled-back',
      unwinding: { code: 'gate-failed', message: 'it exited' },
    } as unknown as RunState
    expect(await jobs({ history: [run] }).held()).toEqual({
      run: 'r1',
      reason: 'it exited',
      stuck: false,
    })
    const damaged = jobs({ open: error('journal-damaged', ExitCode.stuck) })
    expect(await damaged.held()).toEqual({ run: null, reason: 'cannot: journal-damaged', stuck: true })
    expect(await jobs({}).held()).toBeNull()
  })
})

describe('a look at the host', () => {
  it('that takes too long shows nothing, and a bug in it is one', async () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const late = createJobs(
      (_config, _emit, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reject(signal.reason as Error)
          })
        }),
      never,
    )
    const looked = late.look(config)
    await vi.advanceTimersByTimeAsync(8_000)
    expect(await looked).toBeNull()
    const broken = createJobs(() => Promise.reject(new TypeError('a bug')), never)
    await expect(broken.look(config)).rejects.toThrow('a bug')
  })
})

describe('a look at the config', () => {
  const fingerprint = async (more: object): Promise<string> => {
    const { snapshot } = await readConfig(() =>
      Promise.resolve(configSchema.parse({ node: { image: 'a' }, ...more })),
    )
    return snapshot.kind === 'valid' ? snapshot.fingerprint : 'invalid'
  }

  it('tells targets apart by what a run depends on', async () => {
    const one = await fingerprint({})
    for (const same of [
      { apply: 'manual' },
      { retention: { runs: 3 } },
      { service: { listen: '[::1]:1' } },
      { window: 90 },
    ])
      expect(await fingerprint(same), JSON.stringify(same)).toBe(one)
    for (const other of [
      { node: { image: 'b' } },
      { window: 30 },
      { settle: 1 },
      { bird: { sockets: ['/x'] } },
    ])
      expect(await fingerprint(other), JSON.stringify(other)).not.toBe(one)
  })

  it('sees what is wrong with it, and no bug as that', async () => {
    const { snapshot } = await readConfig(() => Promise.reject(error('bad-config', ExitCode.usage)))
    expect(snapshot).toMatchObject({ kind: 'invalid', problems: [{ code: 'bad-config', fix: 'mend it' }] })
    await expect(readConfig(() => Promise.reject(new TypeError('a bug')))).rejects.toThrow('a bug')
  })
})

describe('the turn of this host', () => {
  const leased = configSchema.parse({ fleet: { etcd: { endpoints: ['http://192.0.2.1:2379'] } } })
  const fleet = (away: boolean): FakeFleet => Object.assign(new FakeFleet(), { away })

  it('may be left from an agent before this one, until the engine says that it is not', async () => {
    let away = true
    const made = createJobs(() => {
      const app = {
        fleet: fleet(away),
        lock: () => Promise.resolve(),
        runs: { history: () => Promise.resolve([]) },
      }
      return Promise.resolve({
        app: app as unknown as App,
        wanted: wantedOf(leased, []),
        end: () => undefined,
      })
    }, never)
    const settle = async (): Promise<string> =>
      (await made.run('uncordon', leased, () => undefined, never)).end
    expect(await made.uncordonPending(leased)).toBe(true)
    expect(await settle()).toBe('deferred')
    expect(await made.uncordonPending(leased)).toBe(true)
    away = false
    expect(await settle()).toBe('done')
    expect(await made.uncordonPending(leased)).toBe(false)
  })

  it('does not matter where hosts do not wait for each other', async () => {
    const made = createJobs(() => {
      const app = { fleet: null, runs: { history: () => Promise.resolve([]) } }
      return Promise.resolve({
        app: app as unknown as App,
        wanted: wantedOf(config, []),
        end: () => undefined,
      })
    }, never)
    expect(await made.uncordonPending(configSchema.parse({ kubernetes: {} }))).toBe(false)
  })
})
