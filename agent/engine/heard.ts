import type { Problem } from '../core/errors.ts'
import type { AgentEvent } from '../core/events.ts'
import type { StepContext, StepResult } from '../steps/step.ts'

/** What a step says while it runs and its record keeps: warnings belong in the report, not only in the log. */
export class Heard {
  readonly context: StepContext
  readonly #warnings: Problem[] = []
  #pulledBytes = 0
  #lastBytes = 0

  constructor(context: StepContext) {
    const emit = (event: AgentEvent): void => {
      this.#hear(event)
      context.emit(event)
    }
    this.context = { ...context, emit }
  }

  #hear(event: AgentEvent): void {
    if (event.type === 'problem') this.#warnings.push(event.problem)
    if (event.type !== 'pull') return
    // a try that is repeated counts what it brings, not what it counts from
    this.#pulledBytes += Math.max(0, event.currentBytes - this.#lastBytes)
    this.#lastBytes = event.currentBytes
  }

  with(result: StepResult): StepResult & { pulledBytes?: number } {
    const problems = [...this.#warnings, ...(result.problems ?? [])]
    return {
      ...result,
      ...(problems.length > 0 && { problems }),
      ...(this.#pulledBytes > 0 && { pulledBytes: this.#pulledBytes }),
    }
  }
}
