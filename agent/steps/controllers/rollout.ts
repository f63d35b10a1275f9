import { AgentError } from '../../core/errors.ts'
import {
  instanceOf,
  isAvailable,
  type Rollout,
  runningPods,
  troubleOf,
} from '../../core/kubernetes/deployment.ts'
import { goneError } from '../../core/kubernetes/gone.ts'
import { rolloutOf } from '../../core/kubernetes/rollout.ts'
import type { StepArgs } from '../../core/plan/plan.ts'
import { apiOf } from '../cluster/object.ts'
import { throughAway } from '../cluster/through-away.ts'
import type { StepContext } from '../step.ts'
import { gateFailed } from './trial.ts'

type SwapDeployment = StepArgs['swap-deployment']

const POLL_MS = 500
/** A pod that is available: its Deployment is asked less often while it settles. */
const SETTLING_POLL_MS = 2_000
/** From the patch until the new pod is available: the old one's grace period, a pull of some 100 MB, the first reads. */
const AVAILABLE_MS = 300_000
/** What the scheduler or the kubelet has against a pod may pass, as a registry that answers late does. */
const TROUBLE_MS = 30_000
/** An API server that restarts. */
export const AWAY_MS = 120_000

interface Watch {
  deadline: number
  /** When something was said against its pods first. */
  troubleSince: number | null
  /** The pod that is available, and since when. */
  good: { instance: string; since: number } | null
  /** When none was seen running first, and when one was again. */
  gone: number | null
  back: number | null
}

/**
 * Watches the Deployment until it is available with the image of its template, and has stayed so. Returns for how long no
 * pod of it ran; null where that was not seen.
 * @throws AgentError `controllers-failed`, `second-controllers`, `template-changed`
 */
export async function untilAvailable(
  args: Pick<SwapDeployment, 'deployment' | 'container' | 'settleMs'>,
  isOurs: (rollout: Rollout) => boolean,
  context: StepContext,
  signal?: AbortSignal,
): Promise<number | null> {
  const { clock } = context
  const watch: Watch = {
    ...{ deadline: clock.now() + AVAILABLE_MS, troubleSince: null },
    ...{ good: null, gone: null, back: null },
  }
  for (;;) {
    const asked = clock.now()
    const rollout = await throughAway(() => look(args, context), AWAY_MS, context, signal)
    const now = clock.now()
    // nobody is at fault while the API server is away
    if (now - asked > POLL_MS) watch.deadline += now - asked
    if (!isOurs(rollout)) throw changedByOthers(args)
    noteRunning(watch, runningPods(rollout.pods, args.container), now)
    if (isSettled(watch, rollout, args.container, { now, settleMs: args.settleMs })) return downTimeOf(watch)
    refuseTrouble(watch, rollout, now)
    await clock.sleep(watch.good === null ? POLL_MS : SETTLING_POLL_MS, signal)
  }
}

async function look(
  { deployment }: Pick<SwapDeployment, 'deployment'>,
  context: StepContext,
): Promise<Rollout> {
  const rollout = await rolloutOf(apiOf(context), deployment)
  if (rollout === null) throw goneError({ kind: 'Deployment', ...deployment })
  return rollout
}

function noteRunning(watch: Watch, running: string[], now: number): void {
  if (running.length > 1) {
    throw new AgentError(
      'second-controllers',
      `cannot go on: ${running.join(' and ')} run at the same time`,
      {
        fix: 'kubectl get pods -A -o wide | grep controllers shows where; two instances would both write',
      },
    )
  }
  if (running.length === 0) {
    watch.gone ??= now
    watch.back = null
  } else if (watch.gone !== null) watch.back ??= now
}

/** Available for as long as it must be, by one pod that was not restarted. */
function isSettled(
  watch: Watch,
  rollout: Rollout,
  container: string,
  { now, settleMs }: { now: number; settleMs: number },
): boolean {
  const instance = instanceOf(rollout.pods, container)
  if (!isAvailable(rollout)) watch.good = null
  else if (watch.good?.instance !== instance) watch.good = { instance, since: now }
  return watch.good !== null && now - watch.good.since >= settleMs
}

function refuseTrouble(watch: Watch, { set, pods }: Rollout, now: number): void {
  const trouble = troubleOf(pods)
  if (trouble !== null) watch.troubleSince ??= now
  const isLasting = watch.troubleSince !== null && now - watch.troubleSince > TROUBLE_MS
  if (trouble !== null && isLasting && watch.good === null) throw gateFailed(trouble)
  if (now <= watch.deadline) return
  const { updatedReplicas = 0, availableReplicas = 0 } = set.status ?? {}
  const counts = `${updatedReplicas} of its pods are new, ${availableReplicas} available`
  throw gateFailed(trouble ?? `the Deployment is not available in time: ${counts}`)
}

function downTimeOf({ gone: goneAt, back }: Watch): number | null {
  return goneAt === null || back === null ? null : Math.round(back - goneAt)
}

export function changedByOthers({
  deployment: { namespace, name },
}: Pick<SwapDeployment, 'deployment'>): AgentError {
  return new AgentError(
    'template-changed',
    `cannot go on: somebody else changed Deployment ${namespace}/${name} meanwhile`,
    {
      fix: `kubectl -n ${namespace} rollout history deployment/${name} shows what; then run the upgrade again`,
    },
  )
}
