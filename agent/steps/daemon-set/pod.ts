import type { ContainerJson } from '../../core/docker/json.ts'
import { AgentError } from '../../core/errors.ts'
import { whyWaiting } from '../../core/kubernetes/daemon-set.ts'
import type { StepArgs } from '../../core/plan/plan.ts'
import { CONTAINER_LABEL, NAMESPACE_LABEL, POD_LABEL } from '../../core/pod/static-pod.ts'
import type { ContainerSummary, Docker } from '../../ports/docker.ts'
import type { StepContext } from '../step.ts'
import { apiOf } from './template.ts'

type SwapPod = StepArgs['swap-pod']

const UID_LABEL = 'io.kubernetes.pod.uid'
const POLL_MS = 50

/** The kubelet's containers of calico-node on this host, whatever their pod. */
async function containersOf({ set, container }: SwapPod, docker: Docker): Promise<ContainerSummary[]> {
  const all = await docker.listContainers(`${CONTAINER_LABEL}=${container}`)
  return all.filter(({ labels }) => labels[NAMESPACE_LABEL] === set.namespace)
}

/** Those that exist before anything changes, including those of earlier pods. */
export async function knownContainers(args: SwapPod, docker: Docker): Promise<string[]> {
  return (await containersOf(args, docker)).map(({ id }) => id)
}

/** The running or last container of a pod created after the swapped one; undefined if there is none yet. */
export async function nextContainer(
  args: SwapPod,
  known: string[],
  docker: Docker,
): Promise<ContainerJson | undefined> {
  const later = (await containersOf(args, docker)).filter(
    ({ id, labels }) => !known.includes(id) && labels[UID_LABEL] !== args.pod.uid,
  )
  const all = await Promise.all(later.map(({ id }) => docker.inspectContainer(id)))
  const found = all.filter((one) => one !== undefined)
  return found.find(({ State }) => State.Running) ?? newest(found)
}

function newest(found: ContainerJson[]): ContainerJson | undefined {
  return found.toSorted((one, other) => other.State.StartedAt.localeCompare(one.State.StartedAt))[0]
}

/** Waits until a container of a later pod is up; one that has ended again counts. Undefined if none came. */
export async function untilStarted(
  args: SwapPod,
  known: string[],
  deadline: number,
  { docker, clock }: StepContext,
): Promise<ContainerJson | undefined> {
  for (;;) {
    const found = await nextContainer(args, known, docker)
    if (found && found.State.Status !== 'created') return found
    if (clock.now() > deadline) return undefined
    await clock.sleep(POLL_MS)
  }
}

/**
 * Deletes a pod and kills its container at the same moment. The kubelet's own TERM, 0.3 s later, would end BIRD's
 * sessions. If the pod were deleted later than the kill, the kubelet would start the old image once more.
 */
export async function deleteAndKill(
  { pod, uid, container }: { pod: string; uid: string; container: string },
  { set }: SwapPod,
  context: StepContext,
): Promise<void> {
  const { docker, clock } = context
  await apiOf(context).remove({ kind: 'Pod', namespace: set.namespace, name: pod }, uid)
  context.since = clock.now()
  // a container that has ended by itself is not a failure
  await docker.killContainer(container).catch((error: unknown) => {
    if (!(error instanceof AgentError) || error.code !== 'docker-refused') throw error
  })
}

/** The pod that a container belongs to, by its labels. */
export function podOf({ Config }: ContainerJson): { pod: string; uid: string } {
  return { pod: Config.Labels?.[POD_LABEL] ?? '', uid: Config.Labels?.[UID_LABEL] ?? '' }
}

/** Why no new container came up, as text, as far as the cluster reports it. */
export async function whyNone(args: SwapPod, context: StepContext): Promise<string> {
  const { set, container } = args
  const base = `no pod of ${set.namespace}/${set.name} started ${container} on this host in time`
  const found = (await context.docker.listContainers(`${NAMESPACE_LABEL}=${set.namespace}`)).find(
    ({ labels }) =>
      (labels[POD_LABEL] ?? '').startsWith(`${set.name}-`) && labels[UID_LABEL] !== args.pod.uid,
  )
  const name = found?.labels[POD_LABEL]
  if (name === undefined) return base
  const pod = await apiOf(context)
    .get({ kind: 'Pod', namespace: set.namespace, name })
    .catch(() => null)
  const why = pod && whyWaiting(pod)
  return why ? `${base}: ${why}` : base
}
