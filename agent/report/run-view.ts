import type { AgentEvent, StepStatus } from '../core/events.ts'
import { abbreviatedList } from '../core/grouped.ts'
import type { PlannedStep } from '../core/plan/plan.ts'
import type { Pull } from './pull-text.ts'
import { oneLine, seconds, setSeconds } from './text.ts'

export type Describe = (step: PlannedStep) => string
export type EventOf<T extends AgentEvent['type']> = Extract<AgentEvent, { type: T }>

export interface StepView {
  summary: string
  status: StepStatus
  /** `performance.now()` at which it began, or began to be undone. */
  since: number
  ms: number | null
  reason: string | null
}

/** A run, from its events so far. */
export class RunView {
  readonly run: string
  readonly resumed: boolean
  readonly steps: StepView[]
  /** What else happened, in order. */
  readonly notes: string[] = []
  unwinding: string | null = null
  budgetMs: number | null = null
  usedMs = 0
  /** The last news of the download, with the last retry there was. */
  pull: Pull | null = null
  #recovered = false
  #standing: EventOf<'standing'> | null = null
  /** Time of the look since which nothing is unmet. */
  #settledFrom: number | null = null
  #settleMs: number

  constructor({ run, steps, resumed }: EventOf<'run'>, describe: Describe) {
    this.run = run
    this.resumed = resumed
    const swap = steps.find((step) => step.kind === 'swap-container' || step.kind === 'swap-unit')
    this.#settleMs = swap?.args.gate.settleMs ?? 0
    this.steps = steps.map((step) => ({
      summary: oneLine(describe(step)),
      status: 'pending',
      since: 0,
      ms: null,
      reason: null,
    }))
  }

  apply(event: AgentEvent): void {
    switch (event.type) {
      case 'step':
        this.#step(event)
        break
      case 'pull':
        this.pull = { ...this.pull, ...event }
        break
      case 'window-open':
        this.budgetMs = event.budgetMs
        break
      case 'standing':
        this.#look(event)
        break
      case 'mark':
        this.#recovered ||= event.mark === 'recovered'
        this.usedMs = event.mark === 'recovered' ? event.sinceGoneMs : this.usedMs
        break
      case 'released':
        this.notes.push(releasedText(event))
        break
      case 'unwinding':
        this.unwinding = oneLine(event.reason)
        break
      case 'run':
      case 'look-up':
      case 're-enabled':
      case 'let-in':
      case 'waiting':
      case 'problem':
    }
  }

  #step({ index, status, ms, reason }: EventOf<'step'>): void {
    const step = this.steps[index]
    if (!step) return
    step.status = status
    if (ms !== undefined) step.ms = ms
    if (reason !== undefined) step.reason = oneLine(reason)
    if (status !== 'doing' && status !== 'undoing') return
    step.since = performance.now()
    this.#forget()
    // The way back has no time to settle: the old container is known.
    if (status === 'undoing') this.#settleMs = 0
  }

  /** What was seen belongs to the step before. */
  #forget(): void {
    this.pull = null
    this.#standing = null
    this.#settledFrom = null
    this.#recovered = false
  }

  #look(look: EventOf<'standing'>): void {
    this.#standing = look
    if (!this.#recovered) this.usedMs = look.sinceGoneMs
    const good = look.unmet.length === 0 && (look.phase === 'recovered' || look.phase === 'none')
    this.#settledFrom = good ? (this.#settledFrom ?? look.sinceGoneMs) : null
  }

  /** The state of the new BIRD; null while there is none to look at. */
  get phase(): string | null {
    if (this.#standing === null) return null
    const { phase, sinceGoneMs, waitTimer, unmet } = this.#standing
    const waitsFor = unmet.length === 0 ? '' : ` (${oneLine(unmet[0] ?? '')}${more(unmet.length - 1)})`
    switch (phase) {
      case 'down':
        return `BIRD down ${seconds(sinceGoneMs)}`
      case 'starting':
        return `BIRD up, no session yet${waitsFor}`
      case 'recovering':
        return `sessions coming back, recovery in progress${waitTimer === null ? '' : `, wait timer ${waitTimer}`}${waitsFor}`
      case 'recovered':
        return `recovered${this.#settling(sinceGoneMs)}${waitsFor}`
      case 'none':
        return `container up, no BIRD to wait for${this.#settling(sinceGoneMs)}${waitsFor}`
    }
  }

  #settling(now: number): string {
    if (this.#settledFrom === null || this.#settleMs === 0) return ''
    const settled = Math.min(now - this.#settledFrom, this.#settleMs)
    return `, settling ${Math.floor(settled / 1000)} of ${setSeconds(this.#settleMs)}`
  }

  /** The window's bar is useful while it runs for a BIRD. */
  get windowShown(): boolean {
    return this.budgetMs !== null && this.#standing !== null && this.#standing.phase !== 'none'
  }
}

/** What keeps this host from its start; its fix is a matter for whoever asks. */
export function waitingText({ reason }: EventOf<'waiting'>): string {
  return reason === null ? 'got a slot' : waitText(reason.message)
}

export function waitText(reason: string): string {
  return `waiting: ${oneLine(reason.replace(/^cannot start: /, ''))}`
}

export function releasedText({ peers }: EventOf<'released'>): string {
  return `released ${abbreviatedList(peers)}: down before the run, and BIRD waited only for them`
}

function more(count: number): string {
  return count > 0 ? `, and ${count} more` : ''
}
