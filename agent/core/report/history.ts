import type { Problem } from '../errors.ts'
import type { Plan } from '../plan/plan.ts'
import type { Outcome, Report, StepReport, WindowReport } from './report.ts'

/** One run, as the list of runs has it. */
export interface HistoryRun {
  run: string
  /** Wall time; the end is null for a run that is at work or was interrupted. */
  startedAt: string
  endedAt: string | null
  command: Plan['command']
  /** Null until it ended. */
  outcome: Outcome | null
  components: Report['components']
}

/** A step, and when it was at work; ms since the run began, null for what did not come. */
export interface TimelineStep extends StepReport {
  beganMs: number | null
  endedMs: number | null
  /** When it began to be undone, and was. */
  undoingMs: number | null
  undoneMs: number | null
}

/** What happened to the run as a whole, between its steps. */
export interface TimelineEvent {
  ms: number
  event: 'began' | 'resumed' | 'stopped' | 'going-back' | 'finished' | 'uncordoned' | 'settled'
  text: string
}

/** One run, from its journal. */
export interface RunTimeline extends HistoryRun {
  /** Name of the host it ran on; null if it was not determined. */
  host: string | null
  /** Version that the run began with. */
  agent: string
  steps: TimelineStep[]
  events: TimelineEvent[]
  /** As in the report of the run: ms since the old BIRD was last alive. */
  window: WindowReport | null
  controllersDownMs: number | null
}

/** The JSON of `history`. */
export interface HistoryReport {
  schema: 1
  /** Newest first. */
  runs: HistoryRun[]
  /** Of the run that is named; null without a name. */
  timeline: RunTimeline | null
  problems: Problem[]
}
