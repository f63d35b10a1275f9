import type { Docker } from '../../ports/docker.ts'

/** Of a container that is gone as well: it does not. */
export async function isRunning(id: string, docker: Docker): Promise<boolean> {
  return (await docker.inspectContainer(id))?.State.Running === true
}
