import type { ContainerRuntime } from '../../ports/docker.ts'

/** Also for a container that is gone: it is not running. */
export async function isRunning(id: string, docker: ContainerRuntime): Promise<boolean> {
  return (await docker.inspectContainer(id))?.State.Running === true
}
