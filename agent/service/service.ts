import type { Config } from '../config/schema.ts'
import type { AgentEvent, Emit } from '../core/events.ts'
import { waitEnded } from '../core/fleet/wait-ended.ts'
import type { Report } from '../core/report/report.ts'
import { logEvents } from '../report/log-events.ts'
import type { Logger } from '../report/logger.ts'
import { RunView } from '../report/run-view.ts'
import type { HeldTarget } from '../stories/held-target.ts'
import type { ConfigRead } from './config-snapshot.ts'
import type { Finished, Jobs } from './jobs.ts'
import { logConfig, logJobEnd } from './log.ts'
import {
  atStart,
  dueAt,
  type JobKind,
  type LoopState,
  nextJob,
  onConfigRead,
  onJobEnd,
  onJobStart,
  onReload,
  onStop,
  onTargetHeld,
  onTargetReleased,
  onUncordonAsked,
  onWaiting,
  serviceState,
  waitsInVain,
} from './loop.ts'
import type { Notice } from './notify.ts'
import { type ServiceStatus, statusLine } from './service-status.ts'

/** The safety net for the file watch, and the interval of an idle loop. */
const LOOK_EVERY_MS = 30_000
/** A loop without a turn for this long hangs. */
const HUNG_MS = 3 * LOOK_EVERY_MS
/** A run without an event for this long hangs: each of its waits is much shorter. */
const SILENT_MS = 15 * 60_000

export interface ServiceParts {
  look: () => Promise<ConfigRead>
  jobs: Jobs
  notify: (notice: Notice) => void
  log: Logger
  /** Called with each valid config. */
  configured: (config: Config) => Promise<void>
  /** Aborted to stop the service. */
  signal: AbortSignal
}

/** Turns whatever happens into at most one job at a time; what to do is decided in loop.ts. */
export class Service {
  readonly #parts: ServiceParts
  #state: LoopState = atStart
  #config: Config | null = null
  #live: RunView | null = null
  #held: HeldTarget | null = null
  #lastReport: Report | null = null
  #bug: Error | null = null
  #ready = false
  #reloading = false
  #waitsSince: number | null = null
  /** Ends the job's wait for other hosts. */
  #endWait: (why: string) => void = () => undefined
  /** Earlier runs are asked once, before the first try of this process. */
  #asksHistory = true
  #lookAt = -Infinity
  #turnedAt = performance.now()
  #heardAt = performance.now()
  #wake: () => void = () => undefined
  #woken = false

  constructor(parts: ServiceParts) {
    this.#parts = parts
    parts.signal.addEventListener('abort', () => {
      this.#state = onStop(this.#state)
      parts.notify({ STOPPING: '1' })
      this.#stir()
    })
  }

  /** Runs until it is stopped; resolves to the report of the last job. */
  async run(): Promise<Report | null> {
    for (;;) {
      await this.#turn()
      if (this.#bug !== null) throw this.#bug
      if (this.#state.stopping && this.#state.job === null) return this.#lastReport
      await this.#sleep()
    }
  }

  /** The file may have changed. */
  changed(): void {
    this.#lookAt = -Infinity
    this.#stir()
  }

  /** An operator wants everything read and tried again. */
  reload(): void {
    this.#parts.log.info({ event: 'reload' }, 'reloading: reading the config and trying again')
    this.#state = onReload(this.#state)
    this.#endWait('the service was told to read everything again')
    this.#held = null
    this.#asksHistory = false
    this.#reloading = this.#ready
    if (this.#reloading) this.#parts.notify({ RELOADING: '1' })
    this.changed()
  }

  /** Whether it still works: the answer to the watchdog and /healthz. */
  get turns(): boolean {
    const now = performance.now()
    if (now - this.#turnedAt > HUNG_MS) return false
    const { job } = this.#state
    return job === null || job.waiting !== null || now - this.#heardAt < SILENT_MS
  }

  get state(): LoopState {
    return this.#state
  }

  /** The last valid one. */
  get config(): Config | null {
    return this.#config
  }

  /** How long it has waited for other hosts; null while it does not. */
  get waitedMs(): number | null {
    return this.#waitsSince === null ? null : performance.now() - this.#waitsSince
  }

  get status(): ServiceStatus {
    const { retry } = this.#state
    const retryAt = retry === null ? null : new Date(Date.now() + retry.at - performance.now())
    return { state: this.#state, live: this.#live, held: this.#held, lastReport: this.#lastReport, retryAt }
  }

  async #turn(): Promise<void> {
    if (performance.now() >= this.#lookAt) await this.#look()
    const config = this.#config
    const kind = nextJob(this.#state, performance.now())
    if (kind !== null && config !== null && !(kind === 'apply' && (await this.#isHeld(config)))) {
      void this.#job(kind, config)
    }
    this.#turnedAt = performance.now()
    this.#parts.notify({ STATUS: statusLine(this.status), ...(this.#becomesReady() && { READY: '1' }) })
  }

  async #look(): Promise<void> {
    this.#lookAt = performance.now() + LOOK_EVERY_MS
    const { snapshot, config } = await this.#parts.look()
    logConfig(this.#parts.log, this.#state.snapshot, snapshot)
    if (config !== null) {
      this.#config = config
      await this.#parts.configured(config)
    }
    this.#state = onConfigRead(this.#state, snapshot)
    if (waitsInVain(this.#state)) this.#endWait('the config asks for something else')
    if (config !== null && ['held', 'stuck'].includes(serviceState(this.#state)))
      await this.#askRelease(config)
    if (config !== null)
      this.#state = onUncordonAsked(this.#state, await this.#parts.jobs.uncordonPending(config))
    if (this.#reloading) this.#parts.notify({ READY: '1' })
    this.#reloading = false
  }

  async #isHeld(config: Config): Promise<boolean> {
    if (!this.#asksHistory) return false
    this.#asksHistory = false
    this.#held = await this.#parts.jobs.held(config)
    if (this.#held === null) return false
    this.#state = onTargetHeld(this.#state, this.#held)
    this.#parts.log.warn({ event: 'held', ...this.#held }, statusLine(this.status))
    return true
  }

  /** The journals have what an operator did by hand in the meantime. */
  async #askRelease(config: Config): Promise<void> {
    const still = await this.#parts.jobs.held(config)
    if (still?.run === (this.#held?.run ?? this.#lastReport?.run)) return
    this.#held = still
    if (still === null) this.#state = onTargetReleased(this.#state)
  }

  async #job(kind: JobKind, config: Config): Promise<void> {
    this.#state = onJobStart(this.#state, kind)
    this.#heardAt = performance.now()
    try {
      this.#finished(kind, await this.#parts.jobs.run(kind, config, this.#listen(), this.#wait()))
    } catch (error) {
      this.#bug = error instanceof Error ? error : new Error(String(error))
    }
    this.#stir()
  }

  #finished(kind: JobKind, { report, end }: Finished): void {
    this.#live = null
    this.#waitsSince = null
    if (kind !== 'uncordon') [this.#held, this.#lastReport] = [null, report]
    this.#state = onJobEnd(this.#state, end, performance.now())
    logJobEnd(this.#parts.log, kind, report, statusLine(this.status))
  }

  #waits(why: string | null): void {
    this.#state = onWaiting(this.#state, why)
    this.#waitsSince = why === null ? null : (this.#waitsSince ?? performance.now())
  }

  #wait(): AbortSignal {
    const wait = new AbortController()
    this.#endWait = (why) => {
      wait.abort(waitEnded(why))
    }
    return wait.signal
  }

  #listen(): Emit {
    const log = logEvents(this.#parts.log)
    return (event: AgentEvent) => {
      this.#heardAt = performance.now()
      log(event)
      if (event.type === 'waiting') this.#waits(event.reason?.message ?? null)
      if (event.type === 'run') this.#live = new RunView(event, ({ kind }) => kind)
      else this.#live?.apply(event)
      this.#parts.notify({ STATUS: statusLine(this.status) })
    }
  }

  /** An interrupted run is settled first; if that is not possible, the host is up anyway. */
  #becomesReady(): boolean {
    const { job, resumeDue, snapshot, retry, stopping } = this.#state
    const waits = resumeDue && retry === null && snapshot?.kind === 'valid'
    if (this.#ready || stopping || job?.kind === 'resume' || waits) return false
    this.#ready = true
    return true
  }

  #stir(): void {
    this.#woken = true
    this.#wake()
  }

  async #sleep(): Promise<void> {
    const due = Math.min(this.#lookAt, dueAt(this.#state) ?? Infinity)
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, due - performance.now()))
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
      if (this.#woken) this.#wake()
    })
    this.#woken = false
  }
}
