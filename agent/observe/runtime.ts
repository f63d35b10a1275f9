import type { ContainerJson } from '../core/docker/json.ts'
import { AgentError } from '../core/errors.ts'
import { CONTAINER_LABEL, podContainer } from '../core/pod/static-pod.ts'
import type { Docker } from '../ports/docker.ts'
import type { Kubernetes } from '../ports/kubernetes.ts'
import { findContainer } from './static-pod.ts'

interface Candidates {
  docker: Docker
  /** The pods of this host, whatever runs them. */
  pods: Docker
  kubernetes: Pick<Kubernetes, 'thisNode'>
}

export interface ChosenRuntime {
  runtime: Docker
  /** The cluster could not be asked: the next look may choose another one. */
  isGuess: boolean
}

/** As the kubelet reports Docker, by dockershim and by cri-dockerd. */
const DOCKER = 'docker://'

/**
 * What runs calico/node on a host of a cluster: Docker where it runs the container, be it beside a kubelet with another
 * runtime; otherwise what the kubelet uses.
 */
export async function chooseRuntime(
  container: string,
  hostname: string,
  { docker, pods, kubernetes }: Candidates,
): Promise<ChosenRuntime> {
  const found = await orNone(() => findContainer(container, docker))
  if (found?.State.Running) return { runtime: docker, isGuess: false }
  const version = await orNone(async () => {
    const { status } = await kubernetes.thisNode(hostname)
    return status?.nodeInfo?.containerRuntimeVersion ?? DOCKER
  })
  if (version === undefined || version.startsWith(DOCKER))
    return { runtime: docker, isGuess: version === undefined }
  const isStandalone = found !== undefined && !isOfPod(found) && !(await hasPod(container, pods))
  return { runtime: isStandalone ? docker : pods, isGuess: false }
}

/** A host that has changed its runtime keeps what the kubelet left in Docker. */
function isOfPod({ Config }: ContainerJson): boolean {
  return podContainer(Config.Labels ?? {}) !== null
}

async function hasPod(container: string, pods: Docker): Promise<boolean> {
  const found = await orNone(() => pods.listContainers(`${CONTAINER_LABEL}=${container}`))
  return found !== undefined && found.length > 0
}

async function orNone<T>(look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look()
  } catch (error) {
    if (error instanceof AgentError) return undefined
    throw error
  }
}
