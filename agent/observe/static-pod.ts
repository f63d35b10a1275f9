import type { ContainerJson } from '../core/docker/json.ts'
import { withImageName } from '../core/docker/named-image.ts'
import type { Owner } from '../core/model.ts'
import {
  CONTAINER_LABEL,
  containerIn,
  manifestsOf,
  type ObservedPod,
  podContainer,
} from '../core/pod/static-pod.ts'
import type { Wanted } from '../core/wanted.ts'
import type { Docker } from '../ports/docker.ts'
import type { Kubelet } from '../ports/kubelet.ts'
import type { Manifests } from '../ports/manifests.ts'

export interface PodPorts {
  docker: Docker
  kubelet: Kubelet
  manifests: Manifests
}

/** Where kubeadm has them, and with it most others. */
const DIRECTORY = '/etc/kubernetes/manifests'

/** The container of that name, or the kubelet's that has it in its labels: one that runs first. */
export async function findContainer(name: string, docker: Docker): Promise<ContainerJson | undefined> {
  return (await docker.inspectContainer(name)) ?? (await findInPod(name, docker))
}

export async function findInPod(name: string, docker: Docker): Promise<ContainerJson | undefined> {
  const all = await docker.listContainers(`${CONTAINER_LABEL}=${name}`)
  const found = all.find(({ state }) => state === 'running') ?? all[0]
  return found && (await docker.inspectContainer(found.id))
}

/** How the kubelet manages a container that it has labelled; null if it has not. */
export async function findKubelet(
  container: ContainerJson,
  wanted: Wanted['kubelet'],
  ports: PodPorts,
): Promise<{ owner: Owner; pod?: ObservedPod } | null> {
  const labels = container.Config.Labels ?? {}
  const label = Object.keys(labels).find((key) => key.startsWith('io.kubernetes.'))
  if (label === undefined) return null
  const directory = wanted.manifests ?? (await ports.kubelet.manifests(wanted.unit)) ?? DIRECTORY
  const [manifest, ...others] = manifestsOf(labels, await ports.manifests.list(directory))
  const labelled = podContainer(labels)
  if (manifest === undefined || labelled === null) {
    const why = `it has the label ${label}, and no manifest in ${directory} defines its pod`
    return { owner: { kind: 'kubelet', why } }
  }
  const pod = { ...labelled, manifest, others: others.map(({ path }) => path) }
  const owner: Owner = {
    kind: 'static-pod',
    manifest: manifest.path,
    why: `${manifest.path} is the manifest of its pod ${labelled.pod}`,
  }
  return { owner, pod: await completed(pod, wanted, ports) }
}

async function completed(
  pod: Omit<ObservedPod, 'imageId' | 'readOnly' | 'kubelet'>,
  { unit }: Wanted['kubelet'],
  { docker, kubelet, manifests }: PodPorts,
): Promise<ObservedPod> {
  const [image, readOnly, facts] = await Promise.all([
    docker.inspectImage(containerIn(pod).image),
    manifests.whyReadOnly(pod.manifest.path.replace(/\/[^/]*$/, '')),
    kubelet.look(unit),
  ])
  return { ...pod, imageId: image?.Id ?? null, readOnly, kubelet: facts }
}

/** With the name that the manifest has for the image. */
export function namedByManifest(container: ContainerJson, pod: ObservedPod | undefined): ContainerJson {
  return pod?.imageId === container.Image ? withImageName(container, containerIn(pod).image) : container
}
