import { AgentError, isError } from '../../core/errors.ts'
import type { HostRecord } from '../../core/fleet/host-record.ts'
import type { Report } from '../../core/report/report.ts'
import type { Wanted } from '../../core/wanted.ts'
import { moves, type RunState } from '../../journal/run-state.ts'
import { type App, isUnfinished } from '../app.ts'
import { concerns, heldTarget, type Target, targetOf, targetText } from '../held-target.ts'

type Said = Omit<HostRecord, 'host'>

/** Says to the fleet that this host asks for a slot, and since when; `reason` is what it waits for. */
export async function recordWaiting(app: App, target: string, reason: string | null): Promise<void> {
  const now = app.ports.clock.date().toISOString()
  await write(app, (before) => {
    const waits = before?.state === 'waiting' && before.target === target
    const askedAt = waits ? before.askedAt : now
    return { ...blank(app, target), state: 'waiting', reason, askedAt }
  })
}

/** Says to the fleet what this host runs, and how it came to it. Nothing depends on it: an engine may be away. */
export async function recordOutcome(app: App, wanted: Wanted, report: Report): Promise<void> {
  const target = targetOf(wanted)
  const text = targetText(target)
  if (app.fleet === null || text === null) return
  const history = moves(await app.runs.history())
  const [last] = history
  if (last && isUnfinished(last)) return
  const end = endOf(history, target, report)
  if (end === null) return
  await write(app, (before) => {
    // what it said when it came to the target says more
    if (end.run === null && before?.target === text && before.state === end.state) return null
    const askedAt = before?.target === text ? before.askedAt : null
    return { ...blank(app, text), askedAt, ...end }
  })
}

function endOf(
  history: RunState[],
  target: Target,
  { outcome, problems }: Report,
): (Partial<Said> & Pick<Said, 'state' | 'run'>) | null {
  const [last] = history
  const held = heldTarget(history, target)
  if (held)
    return { ...timesOf(last), state: held.stuck ? 'stuck' : 'failed', run: held.run, reason: held.reason }
  // the last run may have gone to a part of the target
  const isThere = ['upgraded', 'unchanged'].includes(outcome)
  if (isThere && last?.outcome === 'upgraded' && concerns(last.plan, target, 'to'))
    return { ...timesOf(last), state: 'done', run: last.plan.run }
  if (outcome === 'unchanged') return { state: 'done', run: null }
  if (outcome !== 'refused') return null
  return { state: 'refused', run: null, reason: problems.find(isError)?.message ?? null }
}

function timesOf(run: RunState | undefined): Partial<Said> {
  if (run === undefined) return {}
  const { startedAt, endedAt, window } = run
  const { usedMs = null, birdDownMs = null, budgetMs = 0 } = window ?? {}
  return { startedAt, endedAt, window: usedMs === null ? null : { usedMs, birdDownMs, budgetMs } }
}

function blank({ version }: App, target: string): Said {
  const nothing = { run: null, reason: null, askedAt: null, startedAt: null, endedAt: null, window: null }
  return { version, target, state: 'waiting', ...nothing }
}

async function write({ fleet }: App, next: (before: HostRecord | null) => Said | null): Promise<void> {
  try {
    await fleet?.record(next)
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
  }
}
