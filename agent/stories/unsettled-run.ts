import { AgentError } from '../core/errors.ts'
import type { RunState } from '../journal/run-state.ts'

/** Refuses what a command must not do beside a run that is open. `what`: as in `cannot remove anything`. */
export function interruptedRun(what: string, { plan }: RunState): AgentError {
  return unsettledRun(what, `run ${plan.run} was interrupted`, 'to finish or undo it: calico-agent resume')
}

export function stuckRun(what: string, { plan }: RunState): AgentError {
  const fix = 'repair it by hand, then run calico-agent upgrade or calico-agent rollback'
  return unsettledRun(what, `run ${plan.run} is stuck`, fix)
}

function unsettledRun(what: string, reason: string, fix: string): AgentError {
  return new AgentError('unsettled-run', `cannot ${what}: ${reason}`, { fix })
}
