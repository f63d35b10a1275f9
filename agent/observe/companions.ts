import { tagOf } from '../core/image-ref.ts'
import type { Companions, Wanted } from '../core/model.ts'
import { imageRelease } from '../core/node-versions.ts'
import type { CniBinaries } from '../ports/cni-binaries.ts'
import type { Docker } from '../ports/docker.ts'

/** The usual name; under another one their version is unknown, which stands against nothing. */
const CONTROLLERS = 'calico-kube-controllers'

/** Versions of what works beside calico/node on this host. */
export async function observeCompanions(
  { places }: Pick<Wanted, 'places'>,
  { docker, cni }: { docker: Docker; cni: CniBinaries },
): Promise<Companions> {
  const [plugin, controllers] = await Promise.all([
    cni.version(`${places.binDir}/calico`),
    docker.inspectContainer(CONTROLLERS),
  ])
  return {
    cni: imageRelease(plugin, null),
    controllers: controllers
      ? imageRelease(tagOf(controllers.Config.Image), controllers.Config.Labels)
      : null,
  }
}
