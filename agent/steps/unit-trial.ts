import type { ContainerJson } from '../core/docker/json.ts'
import { AgentError, ExitCode } from '../core/errors.ts'
import type { OldContainer } from '../core/plan/plan.ts'
import type { UnitChange } from '../core/unit/change.ts'
import type { StepContext } from './step.ts'

/** Made from another image, after the old one. */
export function isNew(found: ContainerJson | undefined, old: OldContainer): found is ContainerJson {
  return found !== undefined && found.Id !== old.id && found.Image !== old.imageId
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
