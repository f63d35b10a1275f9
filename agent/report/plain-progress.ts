import { counted } from '../core/counted.ts'
import type { AgentEvent, StepStatus } from '../core/events.ts'
import type { Output } from './output.ts'
import { lookUpText, pullPace, pullText, retryText } from './pull-text.ts'
import { type Describe, type EventOf, RunView, releasedText, waitingText } from './run-view.ts'
import { duration, oneLine, seconds, setSeconds } from './text.ts'
import { markText } from './window-text.ts'

/** During a long recovery, a line reports its state from time to time. */
const SILENCE_MS = 10_000

/** One line per fact, for logs and pipes. */
export class PlainProgress {
  readonly #output: Pick<Output, 'write'>
  readonly #describe: Describe
  #view: RunView | null = null
  #pullIsDue = pullPace()
  #printedAt = performance.now()

  constructor(output: Pick<Output, 'write'>, describe: Describe) {
    this.#output = output
    this.#describe = describe
  }

  show(event: AgentEvent): void {
    if (event.type === 'run') this.#view = new RunView(event, this.#describe)
    this.#view?.apply(event)
    const line = this.#line(event)
    if (line === null) return
    this.#output.write(`${line}\n`)
    this.#printedAt = performance.now()
  }

  end(): void {
    this.#view = null
  }

  #line(event: AgentEvent): string | null {
    switch (event.type) {
      case 'run':
        return `run ${event.run}${event.resumed ? ' continues' : ''}: ${counted(event.steps.length, 'step')}`
      case 'step':
        return this.#step(event)
      case 'pull':
        return this.#pull(event)
      case 'look-up':
        return lookUpText(event)
      case 'window-open':
        return `  window open: ${setSeconds(event.budgetMs)}`
      case 'standing':
        return this.#standing()
      case 'mark':
        return `  ${seconds(event.sinceGoneMs, 3)}  ${markText(event.mark, this.#view?.unwinding != null)}`
      case 'released':
        return `  ${releasedText(event)}`
      case 're-enabled':
        return `  enabled again: ${event.peers.join(', ')}`
      case 'let-in':
        return `  may dial again: ${event.neighbors.join(', ')}`
      case 'unwinding':
        return this.#unwinding(event)
      case 'waiting':
        return waitingText(event)
      case 'problem':
        return event.problem.severity === 'warning' ? `warning: ${oneLine(event.problem.message)}` : null
    }
  }

  #step({ index, status }: EventOf<'step'>): string | null {
    const step = this.#view?.steps[index]
    const said = step && STEP_TEXT[status]?.(step)
    return said === undefined ? null : `[${index + 1}/${this.#view?.steps.length ?? 0}] ${said}`
  }

  /** The step that failed has mostly said why. */
  #unwinding({ reason }: EventOf<'unwinding'>): string {
    const said = this.#view?.steps.some((step) => step.reason === oneLine(reason))
    return said ? 'rolling back' : `rolling back: ${oneLine(reason)}`
  }

  #pull(event: EventOf<'pull'>): string | null {
    if (event.retry) return `  ${retryText(event.retry)}`
    return this.#pullIsDue(event) ? `  ${pullText(event)}` : null
  }

  #standing(): string | null {
    const phase = this.#view?.phase ?? null
    return phase === null || performance.now() - this.#printedAt < SILENCE_MS ? null : `  ${phase}`
  }
}

const STEP_TEXT: Partial<Record<StepStatus, (step: RunView['steps'][number]) => string>> = {
  doing: ({ summary }) => summary,
  verified: ({ ms }) => (ms === null ? 'done' : `done in ${duration(ms)}`),
  failed: ({ reason }) => (reason === null ? 'failed' : `failed: ${reason}`),
  undoing: ({ summary }) => `undo: ${summary}`,
  undone: () => 'undone',
}
