import type { Problem } from '../errors.ts'
import { type DaemonSetObject, isRolling, rollingObjection } from './daemon-set.ts'
import { type PodObject, statusNamed } from './pod.ts'

/** While the kubelet gets a pod ready; any other reason may last. */
const STARTING: (string | undefined)[] = [undefined, 'PodInitializing', 'ContainerCreating']

/**
 * Why a Node that has no container of that name will have one soon: a problem that goes away by itself. `pods`: those of the
 * DaemonSet on that Node. Null where nothing says so, as where there is none, or its image cannot be pulled.
 */
export function comingPod(set: DaemonSetObject, pods: PodObject[], container: string): Problem | null {
  if (isRolling(set))
    return { code: 'daemonset-rolling', severity: 'error', ...rollingObjection(set.metadata) }
  const coming = pods.find((pod) => isComing(pod, container))
  return coming ? notStarted(container, coming.metadata.name) : null
}

function isComing({ metadata, status = {} }: PodObject, container: string): boolean {
  // the DaemonSet creates another one
  if (metadata.deletionTimestamp !== undefined) return true
  const { phase, initContainerStatuses = [], containerStatuses = [] } = status
  const isHeld = [...initContainerStatuses, ...containerStatuses].some(
    ({ state }) => !STARTING.includes(state?.waiting?.reason),
  )
  const runs = statusNamed({ status }, container)?.state?.running !== undefined
  return phase !== 'Failed' && !isHeld && !runs
}

function notStarted(container: string, pod: string): Problem {
  return {
    code: 'pod-starting',
    severity: 'error',
    message: `cannot upgrade ${container}: pod ${pod} has not started it yet`,
    fix: 'run the command again in a moment',
  }
}
