import { tagOf } from '../core/image-ref.ts'
import type { Companions } from '../core/model.ts'
import { imageRelease } from '../core/node-versions.ts'
import type { Docker } from '../ports/docker.ts'
import type { Host } from '../ports/host.ts'

/** The usual place and the usual name; elsewhere they are unknown, which stands against nothing. */
const CNI_PLUGIN = '/opt/cni/bin/calico'
const CONTROLLERS = 'calico-kube-controllers'

/** Versions of what works beside calico/node on this host. */
export async function observeCompanions(docker: Docker, host: Host): Promise<Companions> {
  const [cni, controllers] = await Promise.all([
    host.programVersion(CNI_PLUGIN),
    docker.inspectContainer(CONTROLLERS),
  ])
  return {
    cni: imageRelease(cni, null),
    controllers: controllers
      ? imageRelease(tagOf(controllers.Config.Image), controllers.Config.Labels)
      : null,
  }
}
