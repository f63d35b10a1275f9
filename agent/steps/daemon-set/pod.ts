import type { ContainerJson } from '../../core/docker/json.ts'
import { AgentError, isTransient } from '../../core/errors.ts'
import { daemonSetOf } from '../../core/kubernetes/daemon-set.ts'
import { type PodObject, whyWaiting } from '../../core/kubernetes/pod.ts'
import { podsOnNode } from '../../core/kubernetes/pods-on-node.ts'
import type { StepArgs } from '../../core/plan/plan.ts'
import { CONTAINER_LABEL, NAMESPACE_LABEL, POD_LABEL, UID_LABEL } from '../../core/pod/static-pod.ts'
import type { ContainerRuntime, ContainerSummary } from '../../ports/docker.ts'
import { apiOf } from '../cluster/object.ts'
import type { StepContext } from '../step.ts'

type SwapPod = StepArgs['swap-pod']

const POLL_MS = 50

/** The kubelet's containers of calico-node on this host, whatever their pod. */
async function containersOf(
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

/**
 * Waits until a container of a later pod is up; one that has ended again counts. Undefined if none came. What the kubelet
 * starts again in the pod that is deleted goes at once: the next one would run beside it.
 */
export async function untilStarted(
  args: SwapPod,
  known: string[],
  deadline: number,
  context: StepContext,
): Promise<ContainerJson | undefined> {
  const { docker, clock, signal } = context
  for (;;) {
    await killRunning(args, ({ uid }) => uid === args.pod.uid, context)
    const found = await nextContainer(args, known, docker)
    if (found && found.State.Status !== 'created') return found
    if (clock.now() > deadline || signal.aborted) return undefined
    await clock.sleep(POLL_MS)
  }
}

/** A kill takes some 100 ms; the kubelet looks at its containers each second. */
const HEAD_START_MS = 300

/**
 * Kills the container of a pod, and deletes the pod in the same moment. The kubelet's own TERM would end BIRD's sessions, and
 * comes as soon as the kubelet hears of the delete: the kill has a head start. A second after the kill alone, the kubelet
 * would start the old image once more: the delete does not wait longer.
 */
export async function killAndDelete(
  pod: { name: string; uid: string },
  args: SwapPod,
  context: StepContext,
): Promise<void> {
  const { docker, clock } = context
  const { namespace } = args.set
  const ofPod = (await containersOf(args, docker)).filter(({ labels }) => labels[UID_LABEL] === pod.uid)
  const up = ofPod.filter(isUp)
  // where nothing runs, as after the death of an agent, the window is open already
  if (up.length > 0) context.since = clock.now()
  const kills = Promise.all(up.map(({ id }) => docker.killContainer(id)))
  await Promise.race([kills, clock.sleep(HEAD_START_MS)])
  const removal = apiOf(context).remove({ kind: 'Pod', namespace, name: pod.name }, pod.uid)
  const [removed, killed] = await Promise.allSettled([
    removal,
    kills.then(() => keepDownUntil(removal, pod.uid, args, context)),
  ])
  if (killed.status === 'rejected') throw killed.reason
  if (removed.status === 'fulfilled') return
  // an answer that is lost says nothing of the pod
  const isUnclear = isTransient(removed.reason)
  if (!isUnclear || !(await isOnItsWayOut(args, pod, context))) throw removed.reason
}

/** For how long the kubelet may not hear of the delete. Where the API server is away, the pod stays, and is to come up again. */
const DELETE_MS = 2_000

/** Where the kubelet sees the kill before it hears of the delete, it starts the container again: its BIRD must get no session. */
async function keepDownUntil(
  removal: Promise<void>,
  uid: string,
  args: SwapPod,
  context: StepContext,
): Promise<void> {
  let isOver = false
  const over = removal.catch(() => undefined).then(() => (isOver = true))
  const end = context.clock.now() + DELETE_MS
  while (!isOver && context.clock.now() < end) {
    await Promise.race([over, context.clock.sleep(POLL_MS)])
    await killRunning(args, (pod) => pod.uid === uid, context)
  }
}

/** Kills what the kubelet is about to end by TERM: containers of pods that are gone. Returns whether one ran. */
export async function killDoomed(
  args: SwapPod,
  alive: string[],
  context: Pick<StepContext, 'docker' | 'kubernetes'>,
): Promise<boolean> {
  const { namespace, name } = args.set
  const isDoomed = async ({ pod, uid }: PodName): Promise<boolean> => {
    if (alive.includes(uid) || !pod.startsWith(`${name}-`)) return false
    // a pod that is gone has nothing but its name; one that is there may be another DaemonSet's
    const there = await apiOf(context).get({ kind: 'Pod', namespace, name: pod })
    return there?.metadata.uid !== uid || daemonSetOf(there)?.name === name
  }
  return await killRunning(args, isDoomed, context)
}

/**
 * Waits, and kills meanwhile what the kubelet starts again in pods that are being deleted: the next one would run beside it.
 * Returns whether one ran.
 */
export async function keepDown(
  uids: ReadonlySet<string>,
  ms: number,
  args: SwapPod,
  context: StepContext,
): Promise<boolean> {
  const { clock } = context
  const end = clock.now() + ms
  let ran = false
  while (clock.now() < end) {
    ran = (await killRunning(args, ({ uid }) => uids.has(uid), context)) || ran
    await clock.sleep(POLL_MS)
  }
  return ran
}

interface PodName {
  pod: string
  uid: string
}

async function killRunning(
  args: SwapPod,
  which: (pod: PodName) => boolean | Promise<boolean>,
  { docker }: Pick<StepContext, 'docker'>,
): Promise<boolean> {
  const running = (await containersOf(args, docker)).filter(isUp)
  const killed = running.map(async ({ id, labels }) => {
    const isMeant = await which({ pod: labels[POD_LABEL] ?? '', uid: labels[UID_LABEL] ?? '' })
    if (isMeant) await docker.killContainer(id)
    return isMeant
  })
  return (await Promise.all(killed)).includes(true)
}

const isUp = ({ state }: ContainerSummary): boolean => state === 'running'

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
