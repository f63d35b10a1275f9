import type { Observed, ObservedControllers, Wanted, WantedControllers } from '../core/model.ts'
import { canBeUpgraded } from '../core/plan/controllers.ts'
import type { Docker } from '../ports/docker.ts'
import { withAlong } from './along.ts'
import { givenFiles } from './given-files.ts'
import { type Looking, observeImage } from './image.ts'
import { findOwner, type OwnerPorts } from './owner.ts'
import { findContainer, findInPod, namedByManifest } from './static-pod.ts'

/**
 * A host without the container is normal. If it is on standby, its owner cannot switch images, or something else starts
 * it too, a release changes nothing here; the rules say why.
 */
export async function observeControllers(
  { controllers: wanted, kubelet, places }: Pick<Wanted, 'controllers' | 'kubelet' | 'places'>,
  ports: OwnerPorts,
  looking: Looking,
): Promise<Pick<Observed, 'controllers' | 'controllersImage'>> {
  const { image: ref, onlyIfInstalled } = wanted
  const lookAtImage = async () => (ref === null ? null : await observeImage(ref, ports.docker, looking))
  const controllers = await observeRunning(wanted, { kubelet, places }, ports)
  const isOurs = controllers !== null && ref !== null && canBeUpgraded(controllers, ref)
  const isAlone = (controllers?.claims ?? []).length === 0
  const given = controllers && isOurs ? await givenFiles(controllers.container, ports.docker) : []
  return {
    controllers: controllers && { ...controllers, given },
    controllersImage: (isOurs && isAlone) || !onlyIfInstalled ? await lookAtImage() : null,
  }
}

async function observeRunning(
  { container: name, manager, unit }: WantedControllers,
  { kubelet, places }: Pick<Wanted, 'kubelet' | 'places'>,
  ports: OwnerPorts,
): Promise<ObservedControllers | null> {
  const container = await found(name, manager, ports.docker)
  if (!container) return null
  const keeper = {
    section: 'controllers',
    manager: manager === 'static-pod' ? 'docker' : manager,
    unit,
  } as const
  const [image, { pod, unit: keeping, ...kept }] = await Promise.all([
    ports.docker.inspectImage(container.Image),
    findOwner(container, keeper, kubelet, ports),
  ])
  const observed = await withAlong(keeping, places.binDir, ports)
  return { container: namedByManifest(container, pod), image: image ?? null, unit: observed, ...kept, pod }
}

async function found(name: string, manager: WantedControllers['manager'], docker: Docker) {
  if (manager === 'docker') return await docker.inspectContainer(name)
  return manager === 'static-pod' ? await findInPod(name, docker) : await findContainer(name, docker)
}
