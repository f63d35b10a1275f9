import type { Outcome } from '../core/report.ts'
import { type Execution, execute, goBack, isCommitted, stepAt } from './execute.ts'

/** A run that died this often does not get better by another try. */
const MAX_RESUMES = 5

/** Finishes or unwinds an interrupted run from its journal alone. */
export async function resume(execution: Execution): Promise<Outcome> {
  const { journal } = execution
  await journal.append({ type: 'resumed' })
  if (journal.state.resumes > MAX_RESUMES) return await giveUp(execution)
  const { unwinding } = journal.state
  if (unwinding) return await goBack(execution, unwinding)
  if (await goesOn(execution)) return await execute(execution)
  return await goBack(execution, {
    code: 'interrupted',
    severity: 'error',
    message: 'the run was interrupted, and its new container does not run',
    fix: 'run the upgrade again',
  })
}

/** From the commit on its own word counts; before it, every move that was made must still stand. */
async function goesOn({ journal, ports, emit, signal }: Execution): Promise<boolean> {
  const touched = [...journal.state.steps.keys()].filter((index) => journal.state.steps[index]?.doing)
  const last = touched.slice(-1)
  const asked = isCommitted(journal) ? last : touched.filter((index) => stepAt(journal, index).moves)
  for (const index of asked) {
    const context = { ...ports, emit, signal, index, since: ports.clock.now() }
    if (!(await stepAt(journal, index).goesOn(journal.state.steps[index]?.before, context))) return false
  }
  return asked.length > 0
}

async function giveUp({ journal }: Execution): Promise<Outcome> {
  await journal.append({
    type: 'finished',
    outcome: 'stuck',
    problem: {
      code: 'resume-loop',
      severity: 'error',
      message: `cannot finish run ${journal.state.plan.run}: it was resumed ${MAX_RESUMES} times and died each time`,
      fix: 'docker ps -a shows the containers; the journal of the run says what was done',
    },
  })
  return 'stuck'
}
