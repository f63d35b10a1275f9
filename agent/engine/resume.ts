import type { Outcome } from '../core/report/report.ts'
import { isAnySettled, isForwardOnly, lastCommit, touchedSteps } from '../journal/commits.ts'
import type { Journal } from '../journal/journal.ts'
import { type Execution, execute, goBack, isStepSettled, startedBefore, stepAt } from './execute.ts'

/** Another try does not help a run that died this often. */
const MAX_RESUMES = 5

/** Finishes or undoes an interrupted run, using only its journal. */
export async function resume(execution: Execution): Promise<Outcome> {
  const { journal } = execution
  await journal.append({ type: 'resumed' })
  if (journal.state.resumes > MAX_RESUMES) return await giveUp(execution)
  const { unwinding } = journal.state
  if (unwinding) return await goBack(execution, unwinding)
  if (await goesOn(execution)) return await execute(execution)
  const interrupted = {
    code: 'interrupted',
    severity: 'error' as const,
    message: 'the run was interrupted, and its new container is not running',
    fix: 'run the upgrade again',
  }
  return await goBack(execution, interrupted, lastCommit(journal.state))
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

function canFall(journal: Journal, index: number): boolean {
  return stepAt(journal, index).moves && !isStepSettled(journal, index)
}

async function giveUp({ journal }: Execution): Promise<Outcome> {
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
