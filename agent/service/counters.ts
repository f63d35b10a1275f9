import { isError } from '../core/errors.ts'
import type { AgentEvent } from '../core/events.ts'
import type { Outcome, Report, WindowReport } from '../core/report/report.ts'

/** What the service has counted since its start. */
export class Counters {
  readonly runs = new Map<Outcome, number>()
  readonly failures = new Map<string, number>()
  pullBytes = 0
  /** When the host was last seen to match the config; unix seconds. */
  lastSuccess: number | null = null
  /** Of the last run that opened one. */
  window: WindowReport | null = null
  #pulled = 0

  event(event: AgentEvent): void {
    if (event.type === 'step') this.#pulled = 0
    if (event.type !== 'pull') return
    // A try that is repeated counts what it brings, not what it counts from.
    this.pullBytes += Math.max(0, event.currentBytes - this.#pulled)
    this.#pulled = event.currentBytes
  }

  report({ outcome, changed, problems, window }: Report, seconds: number): void {
    count(this.runs, outcome)
    if (window !== null) this.window = window
    if (outcome === 'unchanged' || outcome === 'upgraded') this.lastSuccess = seconds
    else if (!changed || outcome === 'partial')
      for (const code of new Set(problems.filter(isError).map((problem) => problem.code)))
        count(this.failures, code)
  }
}

function count<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
