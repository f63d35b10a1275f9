import type { Observed, WantedControllers } from '../core/model.ts'
import type { Docker } from '../ports/docker.ts'
import { type Looking, observeImage } from './image.ts'
import { findOwner } from './owner.ts'
import type { UnitPorts } from './unit.ts'

/**
 * A host without the container is normal. Where it stands by, or a unit or the kubelet keeps it, a release brings
 * nothing either; the rules say why.
 */
export async function observeControllers(
  { container: name, manager, image: ref, onlyIfInstalled }: WantedControllers,
  ports: UnitPorts & { docker: Docker },
  looking: Looking,
): Promise<Pick<Observed, 'controllers' | 'controllersImage'>> {
  const { docker } = ports
  const container = await docker.inspectContainer(name)
  const lookAtImage = async () => (ref === null ? null : await observeImage(ref, docker, looking))
  if (!container) return { controllers: null, controllersImage: onlyIfInstalled ? null : await lookAtImage() }
  const [image, { owner }] = await Promise.all([
    docker.inspectImage(container.Image),
    findOwner(container, { manager }, ports),
  ])
  const isOurs = container.State.Running && owner.kind === 'docker'
  return {
    controllers: { container, image: image ?? null, owner },
    controllersImage: isOurs || !onlyIfInstalled ? await lookAtImage() : null,
  }
}
