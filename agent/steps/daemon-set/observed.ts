import { AgentError } from '../../core/errors.ts'
import { isObserved } from '../../core/kubernetes/daemon-set.ts'
import type { StepArgs } from '../../core/plan/plan.ts'
import { apiOf, readObject } from '../cluster/object.ts'
import { API_RESTART_MS, throughAway } from '../cluster/through-away.ts'
import type { StepContext } from '../step.ts'
import { refOf } from './template.ts'

type SwapPod = StepArgs['swap-pod']

/** The controller knows of a change within ms, unless it is busy, or has lost the API server for a while. */
export const OBSERVED_MS = 30_000
const POLL_MS = 100

/** Waits until the controller of the DaemonSet has observed its last change; false where it has not done so in time. */
export async function untilObserved(
  set: SwapPod['set'],
  limitMs: number,
  { kubernetes, clock }: Pick<StepContext, 'kubernetes' | 'clock'>,
  signal?: AbortSignal,
): Promise<boolean> {
  const deadline = clock.now() + limitMs
  while (!isObserved(await readObject(apiOf({ kubernetes }), refOf(set)))) {
    if (clock.now() > deadline) return false
    await clock.sleep(POLL_MS, signal)
    signal?.throwIfAborted()
  }
  return true
}

/**
 * Before the pod is deleted: until then its controller would make the next one of the old template.
 * @throws AgentError `daemonset-not-observed`
 */
export async function untilTemplateObserved({ set }: SwapPod, context: StepContext): Promise<void> {
  const observed = () => untilObserved(set, OBSERVED_MS, context, context.signal)
  if (await throughAway(observed, API_RESTART_MS, context, context.signal)) return
  const { namespace, name } = set
  throw new AgentError(
    'daemonset-not-observed',
    `cannot replace the pod of ${namespace}/${name}: the controller of DaemonSets has not observed the new template within ${OBSERVED_MS / 1000} s`,
    {
      fix: 'check whether kube-controller-manager runs: kubectl -n kube-system get lease kube-controller-manager shows when it last renewed; then run the command again',
    },
  )
}
