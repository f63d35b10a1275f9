import { AgentError, type Problem } from '../../core/errors.ts'
import type { Turn } from '../../core/fleet/group.ts'
import type { Plan } from '../../core/plan/plan.ts'
import type { Report } from '../../core/report/report.ts'
import type { Wanted } from '../../core/wanted.ts'
import type { Fleet } from '../../ports/fleet.ts'
import { bindStep } from '../../steps/registry.ts'
import type { App } from '../app.ts'
import { targetOf, targetText } from '../held-target.ts'
import { endingTurn, endTurn, orPending } from './end-turn.ts'
import { recordWaiting } from './host-record.ts'

/** Only what touches something that runs waits for other hosts. */
export function needsTurn({ steps }: Plan): boolean {
  return steps.some((step) => bindStep(step).moves)
}

/** Takes a slot for this host, works, and gives it back. A run that is left open keeps it. */
export async function inTurn(
  app: App,
  fleet: Fleet,
  wanted: Wanted,
  work: (run: string) => Promise<Report>,
): Promise<Report> {
  const target = targetText(targetOf(wanted)) ?? ''
  const turn: Turn = { run: app.newRun(), target }
  await takeSlot(app, fleet, turn)
  return await endingTurn(
    app,
    () => work(turn.run),
    ({ outcome }) => outcome === 'unchanged',
  )
}

async function takeSlot(app: App, fleet: Fleet, turn: Turn): Promise<void> {
  try {
    if (app.wait === null) await fleet.take(turn)
    else await waitForSlot(app, app.wait, fleet, turn)
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
    if (NOT_TAKEN.includes(error.code)) await recordWaiting(app, turn.target, error.message)
    // it was taken, and nothing comes of it; or the answer may be lost
    else error.further.push(...(await dropped(app, fleet, turn)))
    throw error
  }
}

/** The engine said no. */
const NOT_TAKEN = ['slot-held', 'fleet-halted', 'fleet-host-name']

async function waitForSlot(
  app: App,
  wait: NonNullable<App['wait']>,
  fleet: Fleet,
  turn: Turn,
): Promise<void> {
  const reasons: AgentError[] = []
  await recordWaiting(app, turn.target, null)
  // an operator may want to do something else here meanwhile
  app.unlock()
  const onWait = (reason: AgentError): void => {
    reasons.push(reason)
    app.emit({ type: 'waiting', reason: reason.asProblem() })
  }
  try {
    await fleet.waitFor(turn, { ...wait, onWait, endEarlier: () => endEarlier(app) })
  } catch (error) {
    app.signal.throwIfAborted()
    // the time is up: the exit code says so, and the reason what it was waited for
    throw wait.signal.aborted ? (reasons.at(-1) ?? wait.signal.reason) : error
  }
  // something else is asked for by now
  wait.signal.throwIfAborted()
  app.emit({ type: 'waiting', reason: null })
  await app.lock('upgrade')
}

/** The engine was away when it should have ended. */
async function endEarlier(app: App): Promise<boolean> {
  try {
    await app.lock('upgrade')
  } catch (error) {
    if (error instanceof AgentError && error.code === 'locked') return false
    throw error
  }
  try {
    return (await endTurn(app)).length === 0
  } finally {
    app.unlock()
  }
}

async function dropped(app: App, fleet: Fleet, { run }: Turn): Promise<Problem[]> {
  return await orPending(async () => {
    if (await fleet.drop(run)) return []
    // the slot is of whoever has the lock
    if (app.wait !== null) await app.lock('upgrade')
    return await endTurn(app)
  })
}
