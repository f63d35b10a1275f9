import type { KubeletFacts } from '../cni/kubelet.ts'
import type { ContainerJson } from '../docker/json.ts'
import type { ManifestContainer, ManifestFile, PodManifest } from './manifest.ts'

/** The label by which the kubelet finds the containers of a pod, its sandbox among them. */
export const POD_LABEL = 'io.kubernetes.pod.name'
export const CONTAINER_LABEL = 'io.kubernetes.container.name'
export const NAMESPACE_LABEL = 'io.kubernetes.pod.namespace'
export const UID_LABEL = 'io.kubernetes.pod.uid'

/** A container of a pod, as dockershim labels it. */
export interface PodContainer {
  pod: string
  namespace: string
  container: string
}

/** A static pod: its manifest, and the container in it. */
export interface ObservedPod extends PodContainer {
  manifest: ManifestFile
  /** Further manifests of the same pod. */
  others: string[]
  /** This host's image with the name in the manifest; null if it has none. */
  imageId: string | null
  /** Why its directory is not writable; null if it is. */
  readOnly: string | null
  kubelet: KubeletFacts
}

/** Null if the labels are not a kubelet's. */
export function podContainer(labels: Record<string, string>): PodContainer | null {
  const { [POD_LABEL]: pod, [CONTAINER_LABEL]: container, [NAMESPACE_LABEL]: namespace = 'default' } = labels
  return pod === undefined || container === undefined ? null : { pod, namespace, container }
}

/** A UUID comes from the API server; for a static pod, the kubelet derives an id from a hash (kubelet/config, applyDefaults). */
const API_UID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * The manifests that a labelled container may belong to, nearest first. The kubelet appends the node's name to the pod's
 * (kubelet/config/common.go, generatePodName), and nothing else knows the node's name.
 */
export function manifestsOf(labels: Record<string, string>, files: ManifestFile[]): ManifestFile[] {
  const labelled = podContainer(labels)
  if (labelled === null) return []
  const named = files.flatMap((file) => {
    const { pod } = file
    return 'name' in pod && isPodOf(labelled, labels[UID_LABEL], pod) ? [{ file, name: pod.name }] : []
  })
  const longest = Math.max(...named.map(({ name }) => name.length))
  return named.filter(({ name }) => name.length === longest).map(({ file }) => file)
}

function isPodOf(labelled: PodContainer, uid: string | undefined, manifest: PodManifest): boolean {
  const { name, namespace, containers } = manifest
  if (uid !== undefined && API_UID.test(uid) && uid !== manifest.uid) return false
  return (
    labelled.pod.startsWith(`${name}-`) &&
    labelled.namespace === namespace &&
    containers.some((one) => one.name === labelled.container)
  )
}

/** The container as its manifest has it. */
export function containerIn({
  manifest: { pod },
  container,
}: Pick<ObservedPod, 'manifest' | 'container'>): ManifestContainer {
  const found = 'name' in pod ? pod.containers.find(({ name }) => name === container) : undefined
  if (found) return found
  throw new Error(`internal error: the manifest has no container ${container}`)
}

/** Why the kubelet cannot swap the container; null if it can. */
export function staticPodProblem(pod: ObservedPod, running: ContainerJson): PodProblem | null {
  const objection = manifestObjection(pod, running)
  if (objection !== null) return { code: 'static-pod-manifest', ...objection }
  const { unit, state } = pod.kubelet
  if (state !== 'stopped') return null
  return {
    code: 'kubelet-not-running',
    why: `${unit} is not running, and only the kubelet can swap a static pod`,
    fix: `systemctl start ${unit}`,
  }
}

interface PodProblem {
  code: 'static-pod-manifest' | 'kubelet-not-running'
  why: string
  fix: string
}

function manifestObjection(pod: ObservedPod, running: ContainerJson): Omit<PodProblem, 'code'> | null {
  const { manifest, others, imageId, readOnly } = pod
  const { path } = manifest
  if (readOnly !== null) {
    const fix =
      "make it writable: mount it read-write, add ReadWritePaths= to the agent's service, or use -v without :ro if the agent is an image"
    return { why: `the directory of ${path} is not writable: ${readOnly}`, fix }
  }
  const { image, token } = containerIn(pod)
  const byHand = 'write the image there as one plain or quoted word, or change it by hand'
  if (others.length > 0) {
    const why = `${[path, ...others].join(' and ')} define the same pod`
    return { why, fix: 'move all but one of them out of the directory' }
  }
  if (manifest.isLink)
    return { why: `${path} is a symbolic link`, fix: 'replace the link with the file itself' }
  if ('why' in token) return { why: `in ${path} ${token.why}`, fix: byHand }
  if (running.State.Running && imageId !== null && imageId !== running.Image) {
    return {
      why: `${path} names ${image}, which is not the image that is running`,
      fix: 'wait until the kubelet has started it; if the tag has moved, name the image by its digest',
    }
  }
  return null
}
