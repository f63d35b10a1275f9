import type { ContainerJson } from '../core/docker/json.ts'
import { withImageName } from '../core/docker/named-image.ts'
import { AgentError, type Problem } from '../core/errors.ts'
import { known } from '../core/known.ts'
import { daemonSetOf, type ObservedDaemonSet, observedDaemonSet } from '../core/kubernetes/daemon-set.ts'
import { flexvolImage } from '../core/kubernetes/flexvol.ts'
import type { ObservedImage, ObservedNode, Owner } from '../core/model.ts'
import { podContainer } from '../core/pod/static-pod.ts'
import type { Wanted } from '../core/wanted.ts'
import type { Docker } from '../ports/docker.ts'
import type { Kubernetes } from '../ports/kubernetes.ts'
import { type Looking, observeImage } from './image.ts'
import { templateOfOther } from './pod-template.ts'

export interface FoundDaemonSet {
  owner: Owner
  daemonSet: ObservedDaemonSet | { problem: Problem }
}

/**
 * The DaemonSet that keeps a container of the kubelet's; null where none does. `forUpgrade` asks whether its template may
 * be changed and its pod deleted.
 */
export async function findDaemonSet(
  { Config }: ContainerJson,
  owner: Owner,
  kubernetes: Kubernetes,
  forUpgrade: boolean,
): Promise<FoundDaemonSet | null> {
  const labelled = podContainer(Config.Labels ?? {})
  if (owner.kind !== 'kubelet' || labelled === null) return null
  try {
    const pod = await kubernetes.get({ kind: 'Pod', namespace: labelled.namespace, name: labelled.pod })
    if (pod === null) return { owner, daemonSet: { problem: podGone(labelled.pod) } }
    const named = daemonSetOf(pod)
    const set = named && (await kubernetes.get({ kind: 'DaemonSet', ...named }))
    if (!named || !set) return null
    if (forUpgrade) {
      await kubernetes.tryPatch({ kind: 'DaemonSet', ...named }, STRATEGY)
      const ofPods = { kind: 'Pod', namespace: labelled.namespace } as const
      await kubernetes.checkRight('delete', { ...ofPods, name: labelled.pod })
      // the way back looks for pods that never started
      await kubernetes.checkRight('list', { ...ofPods, name: '' })
    }
    const daemonSet = observedDaemonSet(set, pod, await templateOfOther(pod, set, kubernetes))
    return { owner: { kind: 'daemonset', ...named, why: whyOf(daemonSet) }, daemonSet }
  } catch (error) {
    if (error instanceof AgentError) return { owner, daemonSet: { problem: error.asProblem() } }
    throw error
  }
}

function whyOf({ namespace, name, pod, owed }: ObservedDaemonSet): string {
  const it = `it belongs to pod ${pod.name} of DaemonSet ${namespace}/${name}`
  if (owed === undefined) return it
  return `${it}; update strategy OnDelete until the rollout is done: before, it was ${owed}`
}

/** Null where neither a release nor a manifest asks for one, or where no DaemonSet installs the driver. */
export async function observeFlexvol(
  { release, manifest, node: { image } }: Pick<Wanted, 'release' | 'manifest' | 'node'>,
  lookAtNode: Promise<ObservedNode | null>,
  docker: Docker,
  looking: Looking,
): Promise<ObservedImage | null> {
  const set = known((await lookAtNode)?.daemonSet)
  const isAsked = release !== null || manifest !== null
  if (!isAsked || image === null || set === null) return null
  const ref = manifest ? manifest.flexvolImage : flexvolImage(set.template, image)
  return ref === null ? null : await observeImage(ref, docker, looking)
}

function podGone(pod: string): Problem {
  return {
    code: 'pod-gone',
    severity: 'error',
    message: `cannot upgrade the container of pod ${pod}: the pod no longer exists in the cluster`,
    fix: 'run the command again in a moment: the DaemonSet creates another pod',
  }
}

/** What the upgrade writes beside the images. */
const STRATEGY = { spec: { updateStrategy: { type: 'OnDelete', rollingUpdate: null } } }

/** With the name that its pod has for the image. */
export function namedByPod(container: ContainerJson, { daemonSet }: FoundDaemonSet): ContainerJson {
  const name = podContainer(container.Config.Labels ?? {})?.container
  const images = known(daemonSet)?.pod.images
  const image = images?.find((one) => one.list === 'containers' && one.name === name)?.image
  return withImageName(container, image)
}
