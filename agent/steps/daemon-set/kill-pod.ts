import type { ContainerJson } from '../../core/docker/json.ts'
import { isTransient } from '../../core/errors.ts'
import { daemonSetOf } from '../../core/kubernetes/daemon-set.ts'
import type { StepArgs } from '../../core/plan/plan.ts'
import { POD_LABEL, UID_LABEL } from '../../core/pod/static-pod.ts'
import { apiOf } from '../cluster/object.ts'
import type { StepContext } from '../step.ts'
import { containersOf, isOnItsWayOut, isUp, nextContainer } from './pod.ts'

type SwapPod = StepArgs['swap-pod']

const POLL_MS = 50
const KEEP_DOWN_MS = 100

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
    kills.then(() => keepDownUntil(removal, { uids: new Set([pod.uid]), ms: DELETE_MS }, args, context)),
  ])
  if (killed.status === 'rejected') throw killed.reason
  if (removed.status === 'fulfilled') return
  // an answer that is lost says nothing of the pod
  const isUnclear = isTransient(removed.reason)
  if (!isUnclear || !(await isOnItsWayOut(args, pod, context))) throw removed.reason
}

/** For how long the kubelet may not hear of the delete. Where the API server is away, the pod stays, and is to come up again. */
const DELETE_MS = 2_000
/** For how long after the delete a busy kubelet may still start a container of the pod. */
const DELETED_MS = 5_000

/**
 * Where the kubelet sees the kill before it hears of the delete, it starts the container again, also beside the next one:
 * its BIRD must get no session, as its end would delete the routes at the peers.
 */
export async function withKeptDown<T>(
  work: Promise<T>,
  uids: ReadonlySet<string>,
  args: SwapPod,
  context: StepContext,
): Promise<T> {
  const [result] = await Promise.all([work, keepDownUntil(work, { uids, ms: DELETED_MS }, args, context)])
  return result
}

/** Never rejects: the work goes on. */
async function keepDownUntil(
  work: Promise<unknown>,
  { uids, ms }: { uids: ReadonlySet<string>; ms: number },
  args: SwapPod,
  context: StepContext,
): Promise<void> {
  const { clock } = context
  const over = new AbortController()
  void work
    .catch(() => undefined)
    .then(() => {
      over.abort()
    })
  const end = clock.now() + ms
  while (!over.signal.aborted && clock.now() < end) {
    await killRunning(args, ({ uid }) => uids.has(uid), context).catch(() => undefined)
    await clock.sleep(KEEP_DOWN_MS, over.signal).catch(() => undefined)
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
