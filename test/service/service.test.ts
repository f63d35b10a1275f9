import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { configSchema } from '../../agent/config/schema.ts'
import { AgentError } from '../../agent/core/errors.ts'
import type { Emit } from '../../agent/core/events.ts'
import type { Outcome, Report } from '../../agent/core/report/report.ts'
import { createLogger } from '../../agent/report/logger.ts'
import { readConfig } from '../../agent/service/config-snapshot.ts'
import type { Finished } from '../../agent/service/jobs.ts'
import type { End, JobKind } from '../../agent/service/loop.ts'
import type { Notice } from '../../agent/service/notify.ts'
import { Service } from '../../agent/service/service.ts'
import type { HeldTarget } from '../../agent/stories/held-target.ts'
import { unstarted } from '../../agent/stories/run-report.ts'
import { begin, standing, swapping } from '../report/samples.ts'

/** A service whose jobs are ended by the test. */
class Bench {
  readonly jobs: string[] = []
  readonly notices: Notice[] = []
  readonly lines: Record<string, unknown>[] = []
  readonly stop = new AbortController()
  image = 'calico/node:v1'
  invalid = false
  held: HeldTarget | null = null
  uncordonPending = false
  emit: Emit = () => undefined
  wait = new AbortController().signal
  #end: ((finished: Finished) => void) | undefined
  #fail: ((error: Error) => void) | undefined
  readonly service: Service
  done: Promise<Report | null> | undefined

  constructor() {
    const stream = {
      write: (line: string) => void this.lines.push(JSON.parse(line) as Record<string, unknown>),
    }
    this.service = new Service({
      look: () => readConfig(() => this.#config()),
      jobs: {
        run: (kind, config, emit, wait) => this.#run(kind, config.node.image ?? '', emit, wait),
        held: () => Promise.resolve(this.held),
        uncordonPending: () => Promise.resolve(this.uncordonPending),
        fleet: () => Promise.resolve(null),
        look: () => Promise.resolve(null),
      },
      notify: (notice) => this.notices.push(notice),
      log: createLogger({ level: 'info', journald: false, stream }),
      configured: () => Promise.resolve(),
      signal: this.stop.signal,
    })
  }

  async start(): Promise<void> {
    this.done = this.service.run()
    await this.settle()
  }

  /** Ends the job that runs. */
  async end(end: End, outcome: Outcome): Promise<void> {
    this.#end?.({ end, report: unstarted(outcome, null, []) })
    await this.settle()
  }

  async crash(error: Error): Promise<void> {
    this.#fail?.(error)
    await this.settle()
  }

  async change(image: string): Promise<void> {
    this.image = image
    this.service.changed()
    await this.settle()
  }

  async settle(): Promise<void> {
    for (let i = 0; i < 5; i++) await setImmediate()
  }

  get statuses(): string[] {
    return this.notices.flatMap(({ STATUS }) => STATUS ?? [])
  }

  told(what: keyof Notice): number {
    return this.notices.filter((notice) => notice[what] !== undefined).length
  }

  #config() {
    if (this.invalid) return Promise.reject(new AgentError('bad-config', 'it is wrong', { fix: 'mend it' }))
    return Promise.resolve(configSchema.parse({ node: { image: this.image }, apply: 'auto' }))
  }

  #run(kind: JobKind, image: string, emit: Emit, wait: AbortSignal): Promise<Finished> {
    this.jobs.push(`${kind} ${image}`)
    this.emit = emit
    this.wait = wait
    return new Promise((resolve, reject) => {
      this.#end = resolve
      this.#fail = reject
    })
  }
}

let bench: Bench
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] })
  bench = new Bench()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('the service', () => {
  it('is ready when the interrupted run is settled, not before', async () => {
    await bench.start()
    expect(bench.jobs).toEqual(['resume calico/node:v1'])
    expect(bench.told('READY')).toBe(0)
    await bench.end('done', 'unchanged')
    expect(bench.told('READY')).toBe(1)
    expect(bench.jobs).toEqual(['resume calico/node:v1', 'apply calico/node:v1'])
  })

  it('is ready as well where it cannot resume: the config is invalid, or Docker is away', async () => {
    bench.invalid = true
    await bench.start()
    expect([bench.jobs, bench.told('READY')]).toEqual([[], 1])

    const other = new Bench()
    await other.start()
    await other.end('unfinished', 'stuck')
    expect(other.told('READY')).toBe(1)
    expect(other.jobs).toHaveLength(1)
  })

  it('uncordons at each look where a run left the Node cordoned, and applies a new config meanwhile', async () => {
    await bench.start()
    await bench.end('done', 'unchanged')
    bench.uncordonPending = true
    await bench.end('done', 'upgraded')
    expect(bench.jobs).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(30_000)
    expect(bench.jobs.at(-1)).toBe('uncordon calico/node:v1')
    await bench.end('deferred', 'deferred')
    await bench.change('calico/node:v2')
    expect(bench.jobs.at(-1)).toBe('apply calico/node:v2')
    await bench.end('done', 'upgraded')
    await vi.advanceTimersByTimeAsync(30_000)
    expect(bench.jobs.at(-1)).toBe('uncordon calico/node:v2')
    bench.uncordonPending = false
    await bench.end('done', 'unchanged')
    await vi.advanceTimersByTimeAsync(120_000)
    expect(bench.jobs).toHaveLength(5)
    expect(bench.statuses.at(-1)).toBe('matches the config: calico/node:v2')
  })

  it('waits for other hosts for as long as the config asks for it, and is not taken for one that hangs', async () => {
    await bench.start()
    await bench.end('done', 'unchanged')
    const reason = {
      code: 'slot-held',
      severity: 'error' as const,
      message: 'host-2 is at work',
      fix: 'wait',
    }
    bench.emit({ type: 'waiting', reason })
    expect(bench.statuses.at(-1)).toBe('waiting: host-2 is at work')
    for (let minutes = 0; minutes < 60; minutes += 1) await vi.advanceTimersByTimeAsync(60_000)
    await bench.settle()
    expect(bench.service.turns).toBe(true)
    expect(bench.service.waitedMs).toBeGreaterThanOrEqual(3_600_000)
    expect(bench.wait.aborted).toBe(false)
    await bench.change('calico/node:v2')
    expect(bench.wait.aborted).toBe(true)
    await bench.end('deferred', 'deferred')
    expect(bench.service.waitedMs).toBeNull()
    expect(bench.jobs.at(-1)).toBe('apply calico/node:v2')
  })

  it('lets a job go on to its end that has its slot, whatever the config says meanwhile', async () => {
    await bench.start()
    await bench.end('done', 'unchanged')
    bench.emit({ type: 'waiting', reason: null })
    await bench.change('calico/node:v2')
    expect(bench.wait.aborted).toBe(false)
  })

  it('applies the newest config after the job at work, and none of those between', async () => {
    await bench.start()
    await bench.end('done', 'unchanged')
    await bench.change('calico/node:v2')
    await bench.change('calico/node:v3')
    await bench.end('done', 'upgraded')
    await bench.end('done', 'upgraded')
    expect(bench.jobs.slice(1)).toEqual(['apply calico/node:v1', 'apply calico/node:v3'])
    expect(bench.statuses.at(-1)).toBe('matches the config: calico/node:v3')
  })

  it('asks earlier runs before its first try, and an operator may let go of it', async () => {
    bench.held = { run: 'r1', reason: 'it failed', stuck: false }
    await bench.start()
    await bench.end('done', 'unchanged')
    expect(bench.jobs).toHaveLength(1)
    expect(bench.statuses.at(-1)).toContain('waiting for a config change or a reload: run r1: it failed')
    bench.held = null
    await vi.advanceTimersByTimeAsync(30_000)
    await bench.settle()
    expect(bench.statuses.at(-1)).toBe('matches the config: calico/node:v1')
    expect(bench.jobs).toHaveLength(1)
  })

  it('stays stuck, and up, for as long as the journals cannot be read', async () => {
    await bench.start()
    bench.held = { run: null, reason: 'journal r1 is damaged', stuck: true }
    await bench.end('stuck', 'stuck')
    await vi.advanceTimersByTimeAsync(120_000)
    await bench.change('calico/node:v2')
    expect([bench.jobs, bench.told('READY')]).toEqual([['resume calico/node:v1'], 1])
    expect(bench.statuses.at(-1)).toMatch(/^needs repair by hand/)
    bench.held = null
    await bench.change('calico/node:v3')
    expect(bench.jobs.slice(1)).toEqual(['apply calico/node:v3'])
  })

  it('reads and tries again when it is told to', async () => {
    await bench.start()
    await bench.end('done', 'unchanged')
    await bench.end('failed', 'rolled-back')
    await vi.advanceTimersByTimeAsync(300_000)
    await bench.settle()
    expect(bench.jobs).toHaveLength(2)
    bench.service.reload()
    await bench.settle()
    await bench.end('done', 'unchanged')
    expect(bench.jobs.slice(2)).toEqual(['resume calico/node:v1', 'apply calico/node:v1'])
    expect([bench.told('RELOADING'), bench.told('READY')]).toEqual([1, 2])
  })

  it('looks at the file from time to time, whatever the watch tells', async () => {
    await bench.start()
    await bench.end('done', 'unchanged')
    await bench.end('done', 'unchanged')
    bench.image = 'calico/node:v2'
    await vi.advanceTimersByTimeAsync(30_000)
    await bench.settle()
    expect(bench.jobs.at(-1)).toBe('apply calico/node:v2')
  })

  it('says that the config is invalid once, and goes on with nothing', async () => {
    await bench.start()
    await bench.end('done', 'unchanged')
    await bench.end('done', 'unchanged')
    bench.invalid = true
    for (let i = 0; i < 3; i++) await bench.change('calico/node:v2')
    const errors = bench.lines.filter(({ level }) => level === 'error').map(({ msg }) => msg)
    expect(errors).toEqual(['config invalid, nothing changes: it is wrong'])
    expect(bench.jobs).toHaveLength(2)
    expect(bench.statuses.at(-1)).toBe('config invalid, nothing changes: it is wrong')
  })

  it('shows the live phase', async () => {
    await bench.start()
    await bench.end('done', 'unchanged')
    for (const event of [...swapping, standing('starting', 2000)]) bench.emit(event)
    expect(bench.statuses.at(-1)).toMatch(/^run \S+: step 2 of 3, swap-container: BIRD up, no session yet/)
  })

  it('stops when its job has ended, and begins no other', async () => {
    await bench.start()
    await bench.end('done', 'unchanged')
    bench.stop.abort()
    await bench.settle()
    expect([bench.told('STOPPING'), bench.service.state.job]).toEqual([1, expect.anything()])
    bench.image = 'calico/node:v2'
    await bench.end('failed', 'rolled-back')
    expect((await bench.done)?.outcome).toBe('rolled-back')
    expect(bench.jobs).toHaveLength(2)
  })

  it('dies of a bug rather than go on with it', async () => {
    await bench.start()
    void bench.crash(new Error('a bug'))
    await expect(bench.done).rejects.toThrow('a bug')
  })

  it('turns while it has nothing to do, and while its run tells something', async () => {
    await bench.start()
    await bench.end('done', 'unchanged')
    await vi.advanceTimersByTimeAsync(14 * 60_000)
    expect(bench.service.turns).toBe(true)
    bench.emit(begin)
    await vi.advanceTimersByTimeAsync(14 * 60_000)
    expect(bench.service.turns).toBe(true)
    await vi.advanceTimersByTimeAsync(2 * 60_000)
    expect(bench.service.turns).toBe(false)
  })

  it('does not turn when a look never ends', async () => {
    const stuck = new Service({
      look: () => new Promise(() => undefined),
      jobs: {} as never,
      notify: () => undefined,
      log: createLogger({ level: 'silent', journald: false }),
      configured: () => Promise.resolve(),
      signal: bench.stop.signal,
    })
    void stuck.run()
    expect(stuck.turns).toBe(true)
    await vi.advanceTimersByTimeAsync(91_000)
    expect(stuck.turns).toBe(false)
  })
})
