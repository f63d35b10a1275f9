import { RUN_LABEL } from '../../core/docker/container-spec.ts'
import type { ContainerJson } from '../../core/docker/json.ts'
import { AgentError } from '../../core/errors.ts'
import type { NextContainer } from '../../core/plan/plan.ts'
import type { Docker } from '../../ports/docker.ts'

/** The container that takes over, whatever its name is by now. */
export async function findNext(docker: Docker, next: NextContainer): Promise<ContainerJson> {
  const id =
    'parked' in next ? next.parked : (await docker.listContainers(`${RUN_LABEL}=${next.createdBy}`))[0]?.id
  const container = id === undefined ? undefined : await docker.inspectContainer(id)
  if (container) return container
  throw new AgentError('container-gone', 'cannot continue: another process removed the prepared container', {
    fix: 'run the command again',
  })
}
