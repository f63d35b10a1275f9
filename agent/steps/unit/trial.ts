import type { ContainerJson } from '../../core/docker/json.ts'
import { AgentError, ExitCode } from '../../core/errors.ts'
import type { OldContainer } from '../../core/plan/plan.ts'
import type { UnitChange } from '../../core/unit/change.ts'
import { withPreparation } from '../../core/unit/drop-in.ts'
import { isAtWork, type UnitState, whyActivating } from '../../core/unit/state.ts'
import type { StepContext } from '../step.ts'
import { putTrial, type Restart, restartUnit } from './restart.ts'

/** Created from another image, after the old one. */
export function isNew(found: ContainerJson | undefined, old: OldContainer): found is ContainerJson {
  return found !== undefined && found.Id !== old.id && found.Image !== old.imageId
}

interface WayBack extends Pick<Restart, 'change' | 'lives' | 'onGone'> {
  old: OldContainer
  /** The container that has the name now. */
  found: ContainerJson | undefined
}

/** Has the unit run the old image with the current drop-in. Returns its container, undefined if the unit starts none. */
export async function restartOld(
  { change, old, found, ...follow }: WayBack,
  context: StepContext,
): Promise<ContainerJson | undefined> {
  const isNext = ({ Image }: ContainerJson) => Image === old.imageId
  const restart = { change, image: change.from, oldId: found?.Id ?? null, isNext, ...follow }
  const back = await restartUnit(restart, context)
  if (back) return back
  // A container that ended before systemd stopped it has kept its name: this try removes it. And what the unit prepares
  // may be gone, because of a boot or of the unit itself.
  await putTrial(change, withPreparation(change.trial.back), context)
  return await restartUnit(restart, context)
}

/** Why there is no new container, as text. */
export async function noContainerReason(
  { unit, container }: UnitChange,
  { systemd }: Pick<StepContext, 'systemd'>,
): Promise<string> {
  return `${unit} did not start ${container}: ${howItIs(await systemd.show(unit))}`
}

export async function unitNotRestored(
  { unit, from }: UnitChange,
  { systemd }: Pick<StepContext, 'systemd'>,
): Promise<AgentError> {
  const how = howItIs(await systemd.show(unit))
  return new AgentError('not-restored', `cannot start ${from} again with ${unit}: ${how}`, {
    fix: `journalctl -u ${unit} shows why`,
    exitCode: ExitCode.stuck,
  })
}

/** For a unit without its container. */
function howItIs(state: UnitState | null): string {
  if (state === null) return 'it is gone'
  if (state.active === 'activating') return whyActivating(state)
  if (state.sub === 'exited') return `its command exited with code ${state.exitStatus}`
  if (isAtWork(state)) return 'docker run is running, but creates no container'
  return `its result is ${state.result}`
}
