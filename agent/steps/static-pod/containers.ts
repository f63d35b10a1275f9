import type { ContainerJson } from '../../core/docker/json.ts'
import { AgentError } from '../../core/errors.ts'
import { CONTAINER_LABEL, NAMESPACE_LABEL, POD_LABEL, type PodContainer } from '../../core/pod/static-pod.ts'
import type { ContainerSummary, Docker } from '../../ports/docker.ts'
import type { StepContext } from '../step.ts'

type Waiting = Pick<StepContext, 'docker' | 'clock'>

const POLL_MS = 250
/** A kubelet without inotify looks at its directory every 20 s (--file-check-frequency). */
const NOTICE_MS = 90_000
const START_MS = 120_000
/** The kubelet stops a pod's containers first and its sandbox last: if nothing changes after that, the pod is gone. */
const QUIET_MS = 2_000
/** Of a pod that was not seen to run: the kubelet may be about to start it. */
const UNSEEN_QUIET_MS = 10_000

/** All containers of the pod, including its sandbox. */
async function containersOf({ pod, namespace }: PodContainer, docker: Docker): Promise<ContainerSummary[]> {
  const all = await docker.listContainers(`${POD_LABEL}=${pod}`)
  return all.filter(({ labels }) => (labels[NAMESPACE_LABEL] ?? 'default') === namespace)
}

/** Every container with that name on this host, in any pod. */
export async function allInPods(container: string, docker: Docker): Promise<ContainerSummary[]> {
  return await docker.listContainers(`${CONTAINER_LABEL}=${container}`)
}

export async function runningInPods(container: string, docker: Docker): Promise<ContainerSummary[]> {
  return (await allInPods(container, docker)).filter(isUp)
}

function isUp({ state }: ContainerSummary): boolean {
  return ['running', 'paused', 'restarting'].includes(state)
}

/** Waits until nothing of the pod is running or about to start. Returns when it was first seen so, monotonic; null if it was never seen running. */
export async function untilGone(
  pod: PodContainer,
  stopMs: number,
  { docker, clock }: Waiting,
  signal?: AbortSignal,
): Promise<number | null> {
  const since = clock.now()
  let wasSeen = false
  let quietSince: number | null = null
  for (;;) {
    const running = (await containersOf(pod, docker)).filter(isUp)
    const now = clock.now()
    wasSeen ||= running.length > 0
    quietSince = running.length > 0 ? null : (quietSince ?? now)
    if (quietSince !== null && now - quietSince >= (wasSeen ? QUIET_MS : UNSEEN_QUIET_MS))
      return wasSeen ? quietSince : null
    if (quietSince === null && now - since > NOTICE_MS + stopMs) throw notStopped(pod, running)
    await clock.sleep(POLL_MS, signal)
  }
}

/** What the kubelet should start: none of those that existed before. */
interface Sought {
  image: string
  known: string[]
}

/** Waits until the kubelet runs the container; it may have ended again. */
export async function untilRuns(
  pod: PodContainer,
  sought: Sought | null,
  { docker, clock }: Waiting,
  signal?: AbortSignal,
): Promise<ContainerJson> {
  const since = clock.now()
  for (;;) {
    const found = await look(pod, sought, docker)
    // the kubelet itself may pull, which may move a tag
    if (found && (sought === null || found.Image === (await docker.inspectImage(sought.image))?.Id))
      return found
    if (clock.now() - since > START_MS) throw notStarted(pod, found)
    await clock.sleep(POLL_MS, signal)
  }
}

async function look(
  pod: PodContainer,
  sought: Sought | null,
  docker: Docker,
): Promise<ContainerJson | undefined> {
  const all = await containersOf(pod, docker)
  const named = all.filter(({ labels }) => labels[CONTAINER_LABEL] === pod.container)
  const hasEnded = ({ id, state }: ContainerSummary) =>
    sought !== null && state === 'exited' && !sought.known.includes(id)
  const one = named.find(isUp) ?? named.find(hasEnded)
  return one && (await docker.inspectContainer(one.id))
}

function notStopped({ pod }: PodContainer, running: ContainerSummary[]): AgentError {
  const names = running.map(({ name }) => name).join(', ')
  return new AgentError(
    'static-pod-not-stopped',
    `cannot continue: the manifest of ${pod} was removed, but the kubelet has not stopped ${names}`,
    { fix: 'check that the kubelet is running and reads that directory; the agent starts nothing beside it' },
  )
}

function notStarted({ pod, container }: PodContainer, found: ContainerJson | undefined): AgentError {
  const what = found ? `it runs another image, ${found.Config.Image}` : 'it is not running'
  return new AgentError(
    'static-pod-not-started',
    `cannot start ${container} of ${pod}: ${START_MS / 1000} s after its manifest was put in place, ${what}`,
    { fix: "check the kubelet's log: journalctl -u kubelet" },
  )
}
