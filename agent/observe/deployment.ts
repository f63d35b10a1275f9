import { withImageName } from '../core/docker/named-image.ts'
import { AgentError, type Problem } from '../core/errors.ts'
import { known } from '../core/known.ts'
import {
  deploymentOf,
  deploymentPatch,
  type ObservedDeployment,
  observedDeployment,
  type Rollout,
} from '../core/kubernetes/deployment.ts'
import { MANIFEST_NAMESPACE } from '../core/kubernetes/object.ts'
import { rolloutOf } from '../core/kubernetes/rollout.ts'
import type { ObservedControllers, ObservedNode, Owner } from '../core/model.ts'
import { podContainer } from '../core/pod/static-pod.ts'
import type { Wanted } from '../core/wanted.ts'
import type { Kubernetes } from '../ports/kubernetes.ts'

export type FoundDeployment = ObservedDeployment | { problem: Problem }

/**
 * The Deployment that keeps the controllers; null where none does. A pod of this host names its own. On the other hosts
 * of a hosted install, and where the config says so, it has the name of the container.
 */
export async function findDeployment(
  { controllers: { container: name, image, manager }, configMap }: Pick<Wanted, 'controllers' | 'configMap'>,
  { controllers, node }: { controllers: ObservedControllers | null; node: ObservedNode | null },
  api: Kubernetes,
): Promise<FoundDeployment | null> {
  if (controllers && controllers.owner.kind !== 'kubelet') return null
  // a look without a target, as for each scrape, need not ask from every host
  const isAsked = image !== null || configMap !== null
  const isElsewhere = isAsked && (manager === 'deployment' || node?.daemonSet !== undefined)
  const labelled = controllers && podContainer(controllers.container.Config.Labels ?? {})
  try {
    const pod =
      labelled && (await api.get({ kind: 'Pod', namespace: labelled.namespace, name: labelled.pod }))
    const own = pod && deploymentOf(pod)
    // another kind of the cluster keeps it
    if (pod && !own) return null
    const named = own ?? (isElsewhere ? { namespace: namespaceOf(node), name } : null)
    const rollout = named && (await rolloutOf(api, named))
    if (!rollout) return null
    const observed = observedDeployment(rollout, name)
    if (isAsked) await tryPatch(rollout, observed, { image, configMap }, api)
    return observed
  } catch (error) {
    if (error instanceof AgentError) return { problem: error.asProblem() }
    throw error
  }
}

function namespaceOf(node: ObservedNode | null): string {
  return known(node?.daemonSet)?.namespace ?? MANIFEST_NAMESPACE
}

/** Whether the image, or the mark of the config, may be changed. */
async function tryPatch(
  { set }: Rollout,
  { container, image: now, namespace, name, reads = [] }: ObservedDeployment,
  { image, configMap }: { image: string | null; configMap: Wanted['configMap'] },
  api: Kubernetes,
): Promise<void> {
  if (now === null || (image === null && reads.length === 0)) return
  const change = { container, image: image ?? now, run: '', config: configMap?.mark }
  const patch = deploymentPatch(set, change)
  if (patch === null) return
  try {
    await api.tryPatch({ kind: 'Deployment', namespace, name }, patch, 'strategic')
  } catch (error) {
    // its status has changed since: that says nothing against it
    if (!(error instanceof AgentError) || error.code !== 'kubernetes-conflict') throw error
  }
}

/** The container of this host, as the Deployment's pod has it; null where that pod is another host's by now. */
export function keptByDeployment(
  controllers: ObservedControllers | null,
  deployment: FoundDeployment,
): ObservedControllers | null {
  if (controllers === null || 'problem' in deployment) return controllers
  const { namespace, name, image, pods } = deployment
  const labelled = podContainer(controllers.container.Config.Labels ?? {})
  if (!pods.some((pod) => pod.name === labelled?.pod)) return null
  const why = `it is of pod ${labelled?.pod ?? ''}, which Deployment ${namespace}/${name} keeps`
  const owner: Owner = { kind: 'deployment', namespace, name, why }
  return { ...controllers, container: withImageName(controllers.container, image), owner }
}
