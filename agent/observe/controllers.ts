import { canBeUpgraded } from '../core/controllers-plan.ts'
import type { Observed, WantedControllers } from '../core/model.ts'
import type { Docker } from '../ports/docker.ts'
import { observeImage } from './image.ts'
import { findOwner } from './owner.ts'
import type { UnitPorts } from './unit.ts'

/**
 * A host without the container is normal. Where it stands by, or its keeper cannot be told of another image, a release
 * brings nothing either; the rules say why.
 */
export async function observeControllers(
  { container: name, image: ref, onlyIfInstalled, ...keeper }: WantedControllers,
  ports: UnitPorts & { docker: Docker },
  signal: AbortSignal,
): Promise<Pick<Observed, 'controllers' | 'controllersImage'>> {
  const { docker } = ports
  const container = await docker.inspectContainer(name)
  const lookAtImage = async () => (ref === null ? null : await observeImage(ref, docker, signal))
  if (!container) return { controllers: null, controllersImage: onlyIfInstalled ? null : await lookAtImage() }
  const [image, kept] = await Promise.all([
    docker.inspectImage(container.Image),
    findOwner(container, { section: 'controllers', ...keeper }, ports),
  ])
  const controllers = { container, image: image ?? null, ...kept }
  const isOurs = ref !== null && canBeUpgraded(controllers, ref)
  return {
    controllers,
    controllersImage: isOurs || !onlyIfInstalled ? await lookAtImage() : null,
  }
}
