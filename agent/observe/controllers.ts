import { deploymentProblem } from '../core/kubernetes/deployment-problem.ts'
import type { Observed, ObservedControllers, ObservedNode } from '../core/model.ts'
import { canBeUpgraded } from '../core/plan/controllers.ts'
import type { Wanted, WantedControllers } from '../core/wanted.ts'
import type { Docker } from '../ports/docker.ts'
import type { Kubernetes } from '../ports/kubernetes.ts'
import { withAlong } from './along.ts'
import { findDeployment, keptByDeployment } from './deployment.ts'
import { givenFiles } from './given-files.ts'
import { type Looking, observeImage } from './image.ts'
import { findOwner, type OwnerPorts } from './owner.ts'
import { findContainer, findInPod, namedByManifest } from './static-pod.ts'

export type ControllersPorts = OwnerPorts & { kubernetes: Kubernetes | null }

type Places = Pick<Wanted, 'controllers' | 'kubelet' | 'places' | 'kubernetes' | 'configMap'>

/**
 * A host without the container is normal. If it is on standby, its owner cannot switch images, or something else starts
 * it too, a release changes nothing here; the rules say why. `node` shows a hosted install, where any host finds the
 * Deployment; `runtime` is absent for Docker, without which no static pod is swapped.
 */
export async function observeControllers(
  places: Places,
  ports: ControllersPorts,
  looking: Looking,
  { node, runtime }: { node: Promise<ObservedNode | null>; runtime?: string | undefined },
): Promise<Pick<Observed, 'controllers' | 'controllersImage' | 'deployment'>> {
  const { image: ref, onlyIfInstalled } = places.controllers
  const lookAtImage = async () => (ref === null ? null : await observeImage(ref, ports.docker, looking))
  const { controllers, deployment } = await observeKept(places, ports, node)
  if (deployment) {
    const isBarred = 'problem' in deployment || deploymentProblem(deployment) !== null
    return { controllers, deployment, controllersImage: isBarred ? null : await lookAtImage() }
  }
  const isOfDocker = runtime === undefined || !controllers?.pod
  const isOurs = controllers !== null && ref !== null && isOfDocker && canBeUpgraded(controllers, ref)
  const isAlone = (controllers?.claims ?? []).length === 0
  const given = controllers && isOurs ? await givenFiles(controllers.container, ports.docker) : []
  return {
    controllers: controllers && { ...controllers, given },
    controllersImage: (isOurs && isAlone) || !onlyIfInstalled ? await lookAtImage() : null,
  }
}

async function observeKept(
  { controllers: wanted, kubernetes, configMap, ...places }: Places,
  ports: ControllersPorts,
  node: Promise<ObservedNode | null>,
): Promise<Pick<Observed, 'controllers' | 'deployment'>> {
  const controllers = await observeRunning(wanted, places, ports)
  const mayBeKept = kubernetes && ports.kubernetes && ['auto', 'deployment'].includes(wanted.manager)
  if (!mayBeKept || !ports.kubernetes) return { controllers }
  const seen = { controllers, node: await node }
  const deployment = await findDeployment({ controllers: wanted, configMap }, seen, ports.kubernetes)
  return deployment ? { controllers: keptByDeployment(controllers, deployment), deployment } : { controllers }
}

async function observeRunning(
  { container: name, manager, unit }: WantedControllers,
  { kubelet, places }: Pick<Wanted, 'kubelet' | 'places'>,
  ports: OwnerPorts,
): Promise<ObservedControllers | null> {
  const container = await found(name, manager, ports.docker)
  if (!container) return null
  // the kubelet's labels tell a pod's
  const asked = manager === 'static-pod' || manager === 'deployment' ? 'docker' : manager
  const keeper = { section: 'controllers', manager: asked, unit } as const
  const [image, { pod, unit: keeping, ...kept }] = await Promise.all([
    ports.docker.inspectImage(container.Image),
    findOwner(container, keeper, kubelet, ports),
  ])
  const observed = await withAlong(keeping, places.binDir, ports)
  return { container: namedByManifest(container, pod), image: image ?? null, unit: observed, ...kept, pod }
}

async function found(name: string, manager: WantedControllers['manager'], docker: Docker) {
  if (manager === 'docker') return await docker.inspectContainer(name)
  const isInPod = manager === 'static-pod' || manager === 'deployment'
  return isInPod ? await findInPod(name, docker) : await findContainer(name, docker)
}
