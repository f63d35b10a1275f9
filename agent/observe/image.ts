import { abortable } from '../core/abortable.ts'
import { AgentError } from '../core/errors.ts'
import type { Emit } from '../core/events.ts'
import type { ObservedImage } from '../core/model.ts'
import type { Docker, LookUpWait } from '../ports/docker.ts'

/** Receives the progress of slow work, and can end it. */
export interface Looking {
  emit: Emit
  signal: AbortSignal
}

/** The image as this host has it, and as its registry has it now: a tag may have moved. */
export async function observeImage(ref: string, docker: Docker, looking: Looking): Promise<ObservedImage> {
  const [local, remote] = await Promise.all([
    abortable(docker.inspectImage(ref), looking.signal),
    askRegistry(ref, docker, looking),
  ])
  return { ref, local: local ?? null, remote }
}

async function askRegistry(
  ref: string,
  docker: Docker,
  { emit, signal }: Looking,
): Promise<ObservedImage['remote']> {
  try {
    const onWait = (wait: LookUpWait): void => {
      emit({ type: 'look-up', image: ref, ...wait })
    }
    return (await docker.inspectRemoteImage(ref, onWait, signal)) ?? { unasked: true }
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof AgentError && !error.code.startsWith('docker-')) return { error: error.asProblem() }
    throw error
  }
}
