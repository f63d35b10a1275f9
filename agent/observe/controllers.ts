import type { Observed, ObservedControllers, Wanted, WantedControllers } from '../core/model.ts'
import { staticPodProblem } from '../core/static-pod.ts'
import type { Docker } from '../ports/docker.ts'
import { observeImage } from './image.ts'
import { findOwner, type OwnerPorts } from './owner.ts'
import { findContainer, findInPod, namedByManifest } from './static-pod.ts'

/**
 * A host without the container is normal. Where it stands by, or nobody lets go of it, a release brings nothing
 * either; the rules say why.
 */
export async function observeControllers(
  { controllers: wanted, kubelet }: Pick<Wanted, 'controllers' | 'kubelet'>,
  ports: OwnerPorts,
  signal: AbortSignal,
): Promise<Pick<Observed, 'controllers' | 'controllersImage'>> {
  const { image: ref, onlyIfInstalled } = wanted
  const { docker } = ports
  const lookAtImage = async () => (ref === null ? null : await observeImage(ref, docker, signal))
  const controllers = await observeRunning(wanted, kubelet, ports)
  if (!controllers)
    return { controllers: null, controllersImage: onlyIfInstalled ? null : await lookAtImage() }
  return {
    controllers,
    controllersImage: !onlyIfInstalled || isOurs(controllers) ? await lookAtImage() : null,
  }
}

async function observeRunning(
  { container: name, manager }: WantedControllers,
  kubelet: Wanted['kubelet'],
  ports: OwnerPorts,
): Promise<ObservedControllers | null> {
  const container = await found(name, manager, ports.docker)
  if (!container) return null
  const [image, { owner, pod }] = await Promise.all([
    ports.docker.inspectImage(container.Image),
    findOwner(container, { manager: manager === 'static-pod' ? 'docker' : manager }, kubelet, ports),
  ])
  return { container: namedByManifest(container, pod), image: image ?? null, owner, pod }
}

async function found(name: string, manager: WantedControllers['manager'], docker: Docker) {
  if (manager === 'docker') return await docker.inspectContainer(name)
  return manager === 'static-pod' ? await findInPod(name, docker) : await findContainer(name, docker)
}

function isOurs({ container, owner, pod }: ObservedControllers): boolean {
  if (!container.State.Running) return false
  return owner.kind === 'docker' || (pod !== undefined && staticPodProblem(pod, container) === null)
}
