import type { ContainerJson } from '../../core/docker/json.ts'
import { AgentError, isTransient } from '../../core/errors.ts'
import { containerFault } from '../../core/kubernetes/container-fault.ts'
import type { PodObject } from '../../core/kubernetes/pod.ts'
import { whyOfOther } from '../../core/plan/made-from.ts'
import type { StepArgs } from '../../core/plan/plan.ts'
import { POD_LABEL, UID_LABEL } from '../../core/pod/static-pod.ts'
import type { ContainerRuntime } from '../../ports/docker.ts'
import { apiOf } from '../cluster/object.ts'
import { API_RESTART_MS, throughAway } from '../cluster/through-away.ts'
import type { StepContext } from '../step.ts'

type SwapPod = StepArgs['swap-pod']

/** Until the kubelet has started, and reported, the containers beside calico/node: their images are here. */
const BESIDE_MS = 60_000
const POLL_MS = 500

/** Why the new container is not of the template that the run wrote, as text; null where it is. */
export async function whyOther(
  args: SwapPod,
  container: ContainerJson,
  context: StepContext,
): Promise<string | null> {
  const pod = await podOf(args, container, context)
  if (pod === null)
    return (await isAnother(args.to, container.Id, context.docker)) ? 'it runs another image' : null
  // by its processes, what started it may have changed its environment since
  return whyOfOther(pod, args, args.runtime === undefined ? (container.Config.Env ?? null) : null)
}

/** Null where it is gone, or where the API server cannot be asked now. */
async function podOf(
  { set: { namespace } }: SwapPod,
  { Config: { Labels } }: ContainerJson,
  context: StepContext,
): Promise<PodObject | null> {
  const ref = { kind: 'Pod', namespace, name: Labels?.[POD_LABEL] ?? '' } as const
  try {
    const pod = await throughAway(() => apiOf(context).get(ref), API_RESTART_MS, context, context.signal)
    return pod?.metadata.uid === Labels?.[UID_LABEL] ? pod : null
  } catch (error) {
    if (isTransient(error)) return null
    throw error
  }
}

/** Made from another image. What cannot be asked by then, or is not reported yet, is not known. */
async function isAnother(image: string, container: string, docker: ContainerRuntime): Promise<boolean> {
  try {
    const [asked, found] = [await docker.inspectImage(image), await docker.inspectContainer(container)]
    return !!asked?.Id && !!found?.Image && asked.Id !== found.Image
  } catch (error) {
    if (isTransient(error)) return false
    throw error
  }
}

/**
 * Up to v3.3, calico.yaml has install-cni beside calico/node: what gets another image comes up as well.
 * @throws AgentError `gate-failed`
 */
export async function untilOthersRun(
  args: SwapPod,
  container: ContainerJson,
  context: StepContext,
): Promise<void> {
  const { clock, signal } = context
  const others = args.images.filter(
    ({ list, name, from, to }) => list === 'containers' && name !== args.container && from !== to,
  )
  const deadline = clock.now() + BESIDE_MS
  while (others.length > 0) {
    const pod = await podOf(args, container, context)
    const faults = pod ? others.flatMap(({ name }) => containerFault(pod, name) ?? []) : []
    const [fault] = faults.toSorted((one, other) => Number(other.isFinal) - Number(one.isFinal))
    if (fault === undefined) return
    if (fault.isFinal || clock.now() > deadline)
      throw cannotKeep(args, fault.why, `kubectl -n ${args.set.namespace} describe pods shows why`)
    await clock.sleep(POLL_MS, signal)
    signal.throwIfAborted()
  }
}

export function cannotKeep({ set: { namespace, name } }: SwapPod, why: string, fix: string): AgentError {
  return new AgentError('gate-failed', `cannot keep the new pod of ${namespace}/${name}: ${why}`, { fix })
}
