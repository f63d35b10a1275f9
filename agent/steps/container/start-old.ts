import { RESTORED_LABEL } from '../../core/docker/container-spec.ts'
import { nameOfContent } from '../../core/docker/image-ref.ts'
import { AgentError } from '../../core/errors.ts'
import type { OldContainer } from '../../core/plan/plan.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Docker } from '../../ports/docker.ts'
import type { StepContext } from '../step.ts'

/** Starts the old container again, or recreates it if it is gone or can no longer be started. Returns its id. */
export async function startOld(
  old: OldContainer,
  { docker, clock }: Pick<StepContext, 'docker' | 'clock'>,
): Promise<string> {
  const isGone = old.autoRemove || (await docker.inspectContainer(old.id)) === undefined
  const id = isGone ? await recreated(docker, old, clock) : old.id
  try {
    await docker.startContainer(id)
    return id
  } catch (error) {
    if (!(error instanceof AgentError) || error.code !== 'container-task-left') throw error
  }
  await docker.removeContainer(id)
  const another = await recreated(docker, old, clock)
  await docker.startContainer(another)
  return another
}

/** If `--rm` or someone removed the old container, recreates it from the journal; otherwise returns the old one unchanged. */
async function recreated(docker: Docker, old: OldContainer, clock: Clock): Promise<string> {
  const found = await docker.inspectContainer(old.name)
  if (found && (found.Id !== old.id || found.State.Running)) return found.Id
  await removed(docker, old, clock)
  const { body } = old.spec
  const id = await docker.createContainer(old.name, {
    ...body,
    Image: await imageOf(old, docker),
    Labels: { ...body.Labels, [RESTORED_LABEL]: old.id },
  })
  for (const { network, endpoint } of old.spec.furtherNetworks)
    await docker.connectNetwork(id, network, endpoint)
  return id
}

/** The pull may have moved its tag. */
async function imageOf({ image, imageId }: OldContainer, docker: Docker): Promise<string> {
  const [byName, byId] = [await docker.inspectImage(image), await docker.inspectImage(imageId)]
  return byId ? nameOfContent(image, byId, byName) : imageId
}

const REMOVAL_LIMIT_MS = 10_000

/** Docker removes an `--rm` container some time after its end; its name is taken until then. */
async function removed(docker: Docker, { id, name }: OldContainer, clock: Clock): Promise<void> {
  const deadline = clock.now() + REMOVAL_LIMIT_MS
  while (await docker.inspectContainer(id)) {
    if (clock.now() > deadline) {
      throw new AgentError('removal-hangs', `cannot continue: Docker does not finish removing ${name}`, {
        fix: `docker rm -f ${id.slice(0, 12)}`,
      })
    }
    await clock.sleep(20)
  }
}
