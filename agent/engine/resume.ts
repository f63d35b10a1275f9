import type { Outcome } from '../core/report.ts'
import { type Execution, execute, goBack, stepAt } from './execute.ts'

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

async function goesOn({ journal, ports, emit, signal }: Execution): Promise<boolean> {
  const index = journal.state.steps.findLastIndex(({ doing }) => doing !== undefined)
  if (index < 0) return false
  const context = { ...ports, emit, signal, index, since: ports.clock.now() }
  return await stepAt(journal, index).goesOn(journal.state.steps[index]?.before, context)
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
