import { AgentError } from '../core/errors.ts'
import type { ObservedImage } from '../core/model.ts'
import { orAborted } from '../core/or-aborted.ts'
import type { Docker } from '../ports/docker.ts'

/** The image as this host has it, and as its registry has it now: a tag may have moved. */
export async function observeImage(ref: string, docker: Docker, signal: AbortSignal): Promise<ObservedImage> {
  const [local, remote] = await Promise.all([
    orAborted(docker.inspectImage(ref), signal),
    askRegistry(ref, docker, signal),
  ])
  return { ref, local: local ?? null, remote }
}

async function askRegistry(
  ref: string,
  docker: Docker,
  signal: AbortSignal,
): Promise<ObservedImage['remote']> {
  try {
    return await docker.inspectRemoteImage(ref, signal)
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof AgentError && !error.code.startsWith('docker-')) return { error: error.asProblem() }
    throw error
  }
}
