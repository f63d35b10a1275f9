import type { ContainerJson } from '../core/docker/json.ts'
import { AgentError, ExitCode } from '../core/errors.ts'
import type { OldContainer } from '../core/plan/plan.ts'
import type { UnitChange } from '../core/unit/change.ts'
import type { StepContext } from './step.ts'
import { type Restart, restartUnit } from './unit-restart.ts'

/** Made from another image, after the old one. */
export function isNew(found: ContainerJson | undefined, old: OldContainer): found is ContainerJson {
  return found !== undefined && found.Id !== old.id && found.Image !== old.imageId
}

interface WayBack extends Pick<Restart, 'change' | 'lives' | 'onGone'> {
  /** What has the container's name now. */
  found: ContainerJson | undefined
}

/** Has the unit run the old image by the drop-in that is in place. Returns its container, undefined where the unit starts none. */
export async function restartOld(
  { change, found, ...follow }: WayBack,
  context: StepContext,
): Promise<ContainerJson | undefined> {
  const restart = { change, image: change.from, oldId: found?.Id ?? null, ...follow }
  // one that ended by itself before systemd stopped it has kept its name: the next try removes it
  return (await restartUnit(restart, context)) ?? (await restartUnit(restart, context))
}

/** In words, why there is no new container. */
export async function whyNone(
  { unit, container }: UnitChange,
  { systemd }: Pick<StepContext, 'systemd'>,
): Promise<string> {
  const result = (await systemd.show(unit))?.result ?? 'unknown'
  return `${unit} did not start ${container}; its result is ${result}`
}

export async function notBack(
  { unit, from }: UnitChange,
  { systemd }: Pick<StepContext, 'systemd'>,
): Promise<AgentError> {
  const result = (await systemd.show(unit))?.result ?? 'unknown'
  return new AgentError('not-restored', `cannot start ${from} again by ${unit}: its result is ${result}`, {
    fix: `journalctl -u ${unit} shows why`,
    exitCode: ExitCode.stuck,
  })
}
