import { type PodObject, statusNamed, whyWaiting } from './pod.ts'

/** Why a container of a pod is not up, and whether that is for good. */
export interface ContainerFault {
  why: string
  isFinal: boolean
}

/** Null where it runs, and has not ended since its pod was made. */
export function containerFault(pod: PodObject, name: string): ContainerFault | null {
  const { restartCount = 0, state = {}, lastState = {} } = statusNamed(pod, name) ?? {}
  const ended = state.terminated ?? lastState.terminated
  if (restartCount > 0 || ended)
    return { why: `${name} exited with code ${ended?.exitCode ?? 'unknown'}`, isFinal: true }
  return state.running ? null : { why: whyWaiting(pod) ?? `${name} has not started`, isFinal: false }
}
