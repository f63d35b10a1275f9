import type { Problem } from '../core/errors.ts'
import type { Emit } from '../core/events.ts'
import type { Plan } from '../core/plan/plan.ts'
import type { DiffEntry, Outcome, Report } from '../core/report/report.ts'
import type { LockHolder } from '../core/report/status.ts'
import { type Execution, execute } from '../engine/execute.ts'
import { resume } from '../engine/resume.ts'
import type { Journal } from '../journal/journal.ts'
import type { RunState } from '../journal/run-state.ts'
import type { RunStore } from '../journal/store.ts'
import type { ObservePorts } from '../observe/observe.ts'
import type { Fleet, Waiting } from '../ports/fleet.ts'
import type { Ports, Recheck } from '../steps/step.ts'
import { refuseCopied } from './copied-journal.ts'
import { lostTurn } from './fleet/lost-turn.ts'
import { reportOf } from './run-report.ts'

/** Everything that a story needs; created in main. */
export interface App {
  version: string
  ports: Ports & ObservePorts
  /** Null where hosts do not wait for each other. */
  fleet: Fleet | null
  /** How it waits for other hosts; null where it is deferred at once. */
  wait: Pick<Waiting, 'signal' | 'mayStart'> | null
  runs: RunStore
  /** One run at a time on a host. @throws AgentError `locked` (exit 75) */
  lock(command: string): Promise<void>
  /** Until the next `lock`, other agents may work on this host. */
  unlock(): void
  /** Who holds the lock; null if it is free. @throws AgentError `lock-unusable` */
  lockHolder: () => Promise<LockHolder | null>
  newRun(): string
  /** Journals that stay on disk. */
  keepRuns: number
  emit: Emit
  /** Aborted when someone asks to stop. */
  signal: AbortSignal
}

/** Journals the plan and runs it to its outcome. What is stopped before that is not a run. */
export async function carryOut(
  app: App,
  plan: Plan,
  problems: Problem[],
  diff: DiffEntry[],
  recheck?: Recheck,
): Promise<Report> {
  await app.runs.prune(app.keepRuns)
  app.signal.throwIfAborted()
  const journal = await app.runs.begin(app.version, plan, problems)
  return { ...(await settle(app, journal, (execution) => execute({ ...execution, recheck }))), diff }
}

/** Finishes or undoes the interrupted run, if there is one. */
export async function resumeInterrupted(app: App): Promise<Report | null> {
  const interrupted = (await app.runs.history()).find(isUnfinished)
  if (!interrupted) return null
  await refuseCopied(interrupted, app)
  const lost = await lostTurn(app.fleet, interrupted)
  const journal = await app.runs.reopen(interrupted.plan.run)
  return await settle(app, journal, (execution) => resume(execution, lost), true)
}

export function isUnfinished({ outcome }: RunState): boolean {
  return outcome === null
}

async function settle(
  { ports, runs, emit, signal }: App,
  journal: Journal,
  drive: (execution: Execution) => Promise<Outcome>,
  resumed = false,
): Promise<Report> {
  const { plan, resumes } = journal.state
  emit({ type: 'run', run: plan.run, steps: plan.steps, resumed: resumed || resumes > 0 })
  try {
    await drive({ journal, ports, emit, signal })
    return reportOf(journal.state, runs.pathOf(plan.run))
  } finally {
    // whatever the run's outcome, no neighbor is prevented from dialling after it
    await ports.dialGuard.open().catch(() => undefined)
    await journal.close()
  }
}
