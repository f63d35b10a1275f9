import { isEngineGone, isTransient, type Problem } from '../core/errors.ts'
import type { Outcome } from '../core/report/report.ts'
import { isAnySettled, isForwardOnly, lastCommit, touchedSteps } from '../journal/commits.ts'
import type { Journal } from '../journal/journal.ts'
import { type Execution, execute, giveUp, goBack, isStepSettled, startedBefore, stepAt } from './execute.ts'
import { retryTransient } from './retry-transient.ts'

/** Another try does not help a run that died this often. */
const MAX_RESUMES = 5

/** Finishes or undoes an interrupted run, using only its journal. With `lost` it begins no move that it had not begun. */
export async function resume(execution: Execution, lost: Problem | null = null): Promise<Outcome> {
  const { journal } = execution
  await journal.append({ type: 'resumed' })
  if (journal.state.resumes > MAX_RESUMES) return await endLoop(execution)
  const { unwinding } = journal.state
  if (unwinding) return await goBack(execution, unwinding)
  if (lost && !isForwardOnly(journal.state) && hasMovesAhead(journal)) return await goBack(execution, lost)
  let isForward = false
  try {
    isForward = await asked(execution)
  } catch (error) {
    // without an Engine nothing is known of the host: the caller says so
    if (!isTransient(error) || isEngineGone(error)) throw error
    return await giveUp(execution, error)
  }
  if (isForward) return await execute(execution)
  const interrupted = {
    code: 'interrupted',
    severity: 'error' as const,
    message: 'the run was interrupted, and its new container is not running',
    fix: 'run the upgrade again',
  }
  return await goBack(execution, interrupted, lastCommit(journal.state))
}

/** An API server that is away may be back in a moment. */
async function asked(execution: Execution): Promise<boolean> {
  try {
    return await goesOn(execution)
  } catch (error) {
    if (isEngineGone(error)) throw error
    let isForward = false
    await retryTransient(error, execution, async () => {
      isForward = await goesOn(execution)
    })
    return isForward
  }
}

/** In a commit, and after the last one, that step decides; otherwise every move that is not settled must still be in effect. */
async function goesOn(execution: Execution): Promise<boolean> {
  const { journal, ports, emit, signal } = execution
  const { state } = journal
  const touched = touchedSteps(state)
  const isAtCommit = isForwardOnly(state) || lastCommit(state) !== undefined
  const asked = isAtCommit ? touched.slice(-1) : touched.filter((index) => canFall(journal, index))
  for (const index of asked) {
    const since = startedBefore(execution, index) ?? ports.clock.now()
    const context = { ...ports, emit, signal, index, since }
    if (!(await stepAt(journal, index).goesOn(journal.state.steps[index]?.before, context))) return false
  }
  // if nothing left can have failed, the remaining parts are tried
  return asked.length > 0 || isAnySettled(state)
}

function hasMovesAhead(journal: Journal): boolean {
  return journal.state.steps.some(({ doing }, index) => !doing && stepAt(journal, index).moves)
}

function canFall(journal: Journal, index: number): boolean {
  return stepAt(journal, index).moves && !isStepSettled(journal, index)
}

async function endLoop({ journal }: Execution): Promise<Outcome> {
  await journal.append({
    type: 'finished',
    outcome: 'stuck',
    problem: {
      code: 'resume-loop',
      severity: 'error',
      message: `cannot finish run ${journal.state.plan.run}: it was resumed ${MAX_RESUMES} times, each time without an end`,
      fix: 'docker ps -a shows the containers; the journal of the run records what was done',
    },
  })
  return 'stuck'
}
