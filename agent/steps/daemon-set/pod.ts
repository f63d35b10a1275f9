import type { ContainerJson } from '../../core/docker/json.ts'
import { AgentError } from '../../core/errors.ts'
import { type PodObject, whyWaiting } from '../../core/kubernetes/pod.ts'
import { podsOnNode } from '../../core/kubernetes/pods-on-node.ts'
import type { StepArgs } from '../../core/plan/plan.ts'
import { CONTAINER_LABEL, NAMESPACE_LABEL, UID_LABEL } from '../../core/pod/static-pod.ts'
import type { ContainerRuntime, ContainerSummary } from '../../ports/docker.ts'
import { apiOf } from '../cluster/object.ts'
import type { StepContext } from '../step.ts'

type SwapPod = StepArgs['swap-pod']

/** The kubelet's containers of calico-node on this host, whatever their pod. */
export async function containersOf(
  { set, container }: SwapPod,
  docker: ContainerRuntime,
): Promise<ContainerSummary[]> {
  const all = await docker.listContainers(`${CONTAINER_LABEL}=${container}`)
  return all.filter(({ labels }) => labels[NAMESPACE_LABEL] === set.namespace)
}

/** Those that exist before anything changes, including those of earlier pods. */
export async function knownContainers(args: SwapPod, docker: ContainerRuntime): Promise<string[]> {
  return (await containersOf(args, docker)).map(({ id }) => id)
}

/** Those that run now, except for the one that ran before the step. */
export async function startedSince(args: SwapPod, docker: ContainerRuntime): Promise<string[]> {
  const running = (await containersOf(args, docker)).filter(isUp)
  return running.flatMap(({ id }) => (id === args.old.id ? [] : id))
}

/** The running or last container of a pod created after the swapped one; undefined if there is none yet. */
export async function nextContainer(
  args: SwapPod,
  known: string[],
  docker: ContainerRuntime,
): Promise<ContainerJson | undefined> {
  return await newestOf(
    (await containersOf(args, docker)).filter(
      ({ id, labels }) => !known.includes(id) && labels[UID_LABEL] !== args.pod.uid,
    ),
    docker,
  )
}

/** Those of one pod. */
export async function containerOfPod(
  args: SwapPod,
  uid: string,
  docker: ContainerRuntime,
): Promise<ContainerJson | undefined> {
  const all = await containersOf(args, docker)
  return await newestOf(
    all.filter(({ labels }) => labels[UID_LABEL] === uid),
    docker,
  )
}

async function newestOf(
  all: ContainerSummary[],
  docker: ContainerRuntime,
): Promise<ContainerJson | undefined> {
  const inspected = await Promise.all(all.map(({ id }) => docker.inspectContainer(id)))
  const found = inspected.filter((one) => one !== undefined)
  const [newest] = found.toSorted((one, other) => other.State.StartedAt.localeCompare(one.State.StartedAt))
  return found.find(({ State }) => State.Running) ?? newest
}

export const isUp = ({ state }: ContainerSummary): boolean => state === 'running'

/** The pod is gone, made anew or being deleted: the kubelet ends its containers. */
export async function isOnItsWayOut(
  { set }: SwapPod,
  { name, uid }: { name: string; uid: string },
  context: StepContext,
): Promise<boolean> {
  const there = await apiOf(context).get({ kind: 'Pod', namespace: set.namespace, name })
  return there?.metadata.uid !== uid || there.metadata.deletionTimestamp !== undefined
}

/** The DaemonSet's pods of this host, also one that is not scheduled yet. */
export async function podsHere({ set, pod: { node } }: SwapPod, context: StepContext): Promise<PodObject[]> {
  return (await podsOnNode(apiOf(context), set, node))?.pods ?? []
}

/** Why no new container came up, as text, as far as the cluster reports it. */
export async function whyNone(args: SwapPod, context: StepContext): Promise<string> {
  const { set, container } = args
  const base = `no pod of ${set.namespace}/${set.name} started ${container} on this host in time`
  try {
    const pods = await podsHere(args, context)
    const next = pods.find(({ metadata }) => metadata.uid !== args.pod.uid)
    if (!next) return `${base}: the DaemonSet has made none`
    const why = whyWaiting(next)
    return why === null ? base : `${base}: pod ${next.metadata.name}: ${why}`
  } catch (error) {
    if (error instanceof AgentError) return `${base}: ${error.message}`
    throw error
  }
}
