import { AgentError } from '../core/errors.ts'
import type { OldContainer } from '../core/plan.ts'
import type { Clock } from '../ports/clock.ts'
import type { Docker } from '../ports/docker.ts'
import type { StepContext } from './step.ts'

/**
 * Id of the old container. Where `--rm`, or somebody, took it: of one that is made again from what was journaled, or of
 * what has its name by now.
 */
export async function oldOrRemade(
  old: OldContainer,
  { docker, clock }: Pick<StepContext, 'docker' | 'clock'>,
): Promise<string> {
  if (!old.autoRemove && (await docker.inspectContainer(old.id)) !== undefined) return old.id
  const found = await docker.inspectContainer(old.name)
  if (found && (found.Id !== old.id || found.State.Running)) return found.Id
  await removed(docker, old, clock)
  const image = (await docker.inspectImage(old.image))?.Id === old.imageId ? old.image : old.imageId
  const id = await docker.createContainer(old.name, { ...old.spec.body, Image: image })
  for (const { network, endpoint } of old.spec.furtherNetworks)
    await docker.connectNetwork(id, network, endpoint)
  return id
}

const REMOVAL_LIMIT_MS = 10_000

/** Docker removes an `--rm` container some time after its end; its name is taken until then. */
async function removed(docker: Docker, { id, name }: OldContainer, clock: Clock): Promise<void> {
  const deadline = clock.now() + REMOVAL_LIMIT_MS
  while (await docker.inspectContainer(id)) {
    if (clock.now() > deadline) {
      throw new AgentError('removal-hangs', `cannot go on: Docker does not finish removing ${name}`, {
        fix: `docker rm -f ${id.slice(0, 12)}`,
      })
    }
    await clock.sleep(20)
  }
}
