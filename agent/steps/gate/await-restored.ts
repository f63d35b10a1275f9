import { AgentError, ExitCode } from '../../core/errors.ts'
import type { Gate } from '../../core/plan/plan.ts'
import type { StepContext, StepResult } from '../step.ts'
import { describeUnmet, watchTrial } from './gate.ts'
import type { Trial } from './readings.ts'

/** BIRD's own wait for silent peers is 240 s; after that and a margin, the old node does not come back. */
const RESTORE_LIMIT_MS = 300_000
/** Sessions come back within 18 s: a peer that is still missing then, and accepts no connection, has gone down. */
const PATIENCE_MS = 20_000

/** Waits until the old container, started again, has its sessions back and has finished its recovery. */
export async function awaitRestored(trial: Trial, context: StepContext): Promise<StepResult> {
  const patienceMs = context.clock.now() - trial.goneAt + PATIENCE_MS
  const result = await watchTrial(
    { ...trial, gate: restoredGate(trial.gate), patienceMs },
    { ...context, signal: new AbortController().signal },
  )
  if (result.passed) {
    const window = result.window && { ...result.window, budgetMs: trial.gate.budgetMs }
    return { window, problems: result.problems }
  }
  throw new AgentError(
    'not-restored',
    `cannot restore the old container: ${result.why}${describeUnmet(result.unmet)}`,
    { fix: 'calico-agent status and docker logs of the container show why', exitCode: ExitCode.stuck },
  )
}

/** No health check holds it up: the old BIRD is welcome even if it never stopped, and routes that left the cluster meanwhile are not its fault. */
function restoredGate(gate: Gate): Gate {
  const daemons = gate.daemons.map(({ baseline, ...daemon }) => ({
    ...daemon,
    baseline: {
      ...baseline,
      lastReboot: '',
      instance: null,
      established: baseline.established.map((session) => ({ ...session, imported: 0 })),
    },
  }))
  return {
    daemons,
    health: [],
    felix: false,
    dockerHealth: false,
    settleMs: 0,
    budgetMs: RESTORE_LIMIT_MS,
    reserveMs: 0,
  }
}

/**
 * Waits until the new container may be killed: never between Established and the end of the recovery.
 * Returns whether it had recovered, so that the kill opens a fresh window.
 */
export async function awaitSafeStop(trial: Trial, context: StepContext): Promise<boolean> {
  const emit: StepContext['emit'] = (event) => {
    if (event.type !== 'mark') context.emit(event)
  }
  const { window } = await watchTrial(
    { ...trial, unseen: 'recovering' },
    { ...context, emit, signal: AbortSignal.abort() },
  )
  return window?.recoveredMs != null
}
