import { AgentError, ExitCode } from '../../core/errors.ts'
import { type PodObject, REVISION_LABEL } from '../../core/kubernetes/pod.ts'
import { entriesOf } from '../../core/kubernetes/template.ts'
import type { Gate, StepArgs } from '../../core/plan/plan.ts'
import { isAsBefore } from '../../core/plan/swapped-images.ts'
import { awaitRestored, awaitSafeStop } from '../gate/await-restored.ts'
import type { StepContext, StepResult } from '../step.ts'
import { closeDialling } from '../window/dial-guard.ts'
import { keepDown, killAndDelete, killDoomed, withKeptDown } from './kill-pod.ts'
import { containerOfPod, podsHere, whyNone } from './pod.ts'
import { isStillRestored } from './template.ts'

type SwapPod = StepArgs['swap-pod']

/** Of a pod whose start is part of the way back: images are here, the scheduler and the kubelet take some seconds. */
const RESTORE_MS = 120_000
const POLL_MS = 250

interface Restoring {
  gate: Gate
  /** Containers that may have read the new config, also of a pod of the old template. */
  misled: string[]
  /** Uids of pods that are on their way out: what the kubelet still starts in them is killed. */
  deleted: string[]
}

/**
 * Once the template has the old entries again: takes away this host's pods of others, whether they run, wait or crash, and
 * waits for one of the old ones. Null where someone else changes the template meanwhile: their pod stays.
 */
export async function restorePod(
  args: SwapPod,
  { gate, misled, deleted }: Restoring,
  context: StepContext,
): Promise<StepResult | null> {
  const { docker, clock } = context
  const deadline = clock.now() + RESTORE_MS
  let goneAt = context.since
  let isAgain = false
  const taken = new Set(deleted)
  for (;;) {
    const alive = (await podsHere(args, context)).filter(
      ({ metadata }) => metadata.deletionTimestamp === undefined,
    )
    const uids = alive.map(({ metadata }) => metadata.uid)
    if (await killDoomed(args, uids, context)) goneAt = clock.now()
    const containers = await Promise.all(alive.map((pod) => containerOfPod(args, pod.metadata.uid, docker)))
    const wrong = alive.find((pod, i) => misled.includes(containers[i]?.Id ?? '') || !isOld(pod, args))
    if (wrong && isAgain && !(await isStillRestored(args, context))) return null
    if (wrong) goneAt = await takeAway(wrong, args, { gate, goneAt, taken }, context)
    isAgain ||= wrong !== undefined
    const [container] = wrong ? [] : containers
    if (container?.State.Running === true) {
      const watch = awaitRestored({ gate, container: container.Id, goneAt }, context)
      return await withKeptDown(watch, taken, args, context)
    }
    if (clock.now() > deadline) throw notRestored(args, await whyNone(args, context))
    if (await keepDown(taken, POLL_MS, args, context)) goneAt = clock.now()
  }
}

/** Of the same template as the pod that was swapped or, where the template had changed since, with its images. */
function isOld(pod: PodObject, { pod: { revision }, images }: SwapPod): boolean {
  const isSame = revision !== undefined && pod.metadata.labels?.[REVISION_LABEL] === revision
  return isSame || isAsBefore(entriesOf(pod), images)
}

/** Returns since when BIRD is gone. */
async function takeAway(
  { metadata: { name, uid } }: PodObject,
  args: SwapPod,
  { gate, goneAt, taken }: { gate: Gate; goneAt: number; taken: Set<string> },
  context: StepContext,
): Promise<number> {
  taken.add(uid)
  const container = await containerOfPod(args, uid, context.docker)
  const isRecovered =
    container !== undefined && (await awaitSafeStop({ gate, container: container.Id, goneAt }, context))
  await killAndDelete({ name, uid }, args, context)
  await closeDialling(gate, context)
  return isRecovered ? context.clock.now() : goneAt
}

function notRestored({ set: { namespace } }: SwapPod, why: string): AgentError {
  return new AgentError('not-restored', `cannot restore the old pod: ${why}`, {
    fix: `kubectl -n ${namespace} describe pods shows why`,
    exitCode: ExitCode.stuck,
  })
}
