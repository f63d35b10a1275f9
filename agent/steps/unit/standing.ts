import type { ContainerJson } from '../../core/docker/json.ts'
import { AgentError } from '../../core/errors.ts'
import type { Gate } from '../../core/plan/plan.ts'
import type { UnitChange } from '../../core/unit/change.ts'
import { isAtWork, isUp, type UnitState, whyActivating } from '../../core/unit/state.ts'
import type { StepContext } from '../step.ts'

const POLL_MS = 50
/** If no window is running. At boot, a unit may pull or wait before its container. */
const LIMIT_MS = 120_000
/** For a unit that still waits although its container is healthy. */
const STARTED_LIMIT_MS = 45_000

/** The current state of the unit's container. */
export interface SettledUnit {
  found: ContainerJson | undefined
  /** The unit runs nothing: it would not stop a container that exists anyway. */
  isDown: boolean
  /** False if the job in progress does not finish. */
  isSettled: boolean
}

/** How long to wait for the next one after the old one's death: the rest is for the way back. */
export function patienceOf(gate: Gate | null): number {
  return gate === null ? LIMIT_MS : gate.budgetMs - gate.reserveMs
}

/**
 * The unit's container once nothing in progress can still change it: systemd finishes a job even if the agent that began
 * it has died, and docker's own start comes after it. For a start with the drop-in, wait no longer than the window
 * allows.
 */
export async function settledUnit(
  { unit, container, trial }: UnitChange,
  gate: Gate | null,
  { docker, systemd, unitFiles, clock, since }: StepContext,
): Promise<SettledUnit> {
  const isOurs = (await unitFiles.read(trial.path)) !== undefined
  const deadline = isOurs ? since + patienceOf(gate) : clock.now() + LIMIT_MS
  for (;;) {
    const isAsked = await systemd.isAsked(unit)
    const state = await systemd.show(unit)
    const found = await docker.inspectContainer(container)
    const standing = { found, isDown: runsNothing(state) }
    if (!isAsked && isAtRest(state, found)) return { ...standing, isSettled: true }
    if (clock.now() > deadline) return { ...standing, isSettled: false }
    await clock.sleep(POLL_MS)
  }
}

/** On trial a unit stays up when its docker run has ended; `docker run -d` ends well. */
function runsNothing(state: UnitState | null): boolean {
  return state === null || !isUp(state) || (state.sub === 'exited' && state.exitStatus !== '0')
}

/** A unit whose container exists may still wait for something else: the container stays. */
function isAtRest(state: UnitState | null, found: ContainerJson | undefined): boolean {
  const isThere = found !== undefined && found.State.Status !== 'created'
  if (state?.active === 'activating') return isThere && ['start', 'start-post'].includes(state.sub)
  return !isAtWork(state) || (isThere && state?.active === 'active' && !state.hasJob)
}

/**
 * Waits until systemd too considers the unit started: before that, the unit's own settings may stop it.
 * @throws AgentError `gate-failed`
 */
export async function awaitStarted(
  { unit }: UnitChange,
  { systemd, clock }: Pick<StepContext, 'systemd' | 'clock'>,
): Promise<void> {
  const deadline = clock.now() + STARTED_LIMIT_MS
  for (;;) {
    const state = await systemd.show(unit)
    if (state?.active === 'active' && !state.hasJob) return
    if (state?.active !== 'activating' || clock.now() > deadline) {
      const why = state?.active === 'activating' ? whyActivating(state) : `it is ${state?.active ?? 'gone'}`
      throw new AgentError('gate-failed', `cannot keep ${unit} as it is now: ${why}`, {
        fix: `systemctl status ${unit} shows why`,
      })
    }
    await clock.sleep(POLL_MS)
  }
}
