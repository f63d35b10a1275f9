import type { BirdPhase } from './bird/window.ts'
import type { Problem } from './errors.ts'
import type { PlannedStep } from './plan/plan.ts'

export type StepStatus = 'pending' | 'doing' | 'verifying' | 'verified' | 'failed' | 'undoing' | 'undone'

/** A moment of the window, in ms since the old BIRD was gone. */
export type WindowMark = 'bird-up' | 'sessions-back' | 'recovered'

/** What happens, as data: the log, the live display and the JSON are renderers of these. */
export type AgentEvent =
  | { type: 'run'; run: string; steps: PlannedStep[]; resumed: boolean }
  | { type: 'step'; index: number; status: StepStatus; ms?: number; reason?: string }
  | {
      type: 'pull'
      image: string
      currentBytes: number
      totalBytes: number
      layersDone: number
      layers: number
      retry?: { attempt: number; reason: string }
    }
  /** A registry has not answered yet; the agent gives up after `limitMs`. */
  | { type: 'look-up'; image: string; limitMs: number; retry?: { attempt: number; reason: string } }
  /** The old BIRD is about to be killed: the window opens. */
  | { type: 'window-open'; budgetMs: number }
  | { type: 'standing'; phase: BirdPhase; sinceGoneMs: number; waitTimer: string | null; unmet: string[] }
  | { type: 'mark'; mark: WindowMark; sinceGoneMs: number }
  | { type: 'released'; peers: string[] }
  | { type: 're-enabled'; peers: string[] }
  /** Neighbors that may dial again, before the end of the window. */
  | { type: 'let-in'; neighbors: string[] }
  | { type: 'unwinding'; reason: string }
  /** What this host waits for before it may start; null once it may. */
  | { type: 'waiting'; reason: Problem | null }
  | { type: 'problem'; problem: Problem }

export type Emit = (event: AgentEvent) => void
