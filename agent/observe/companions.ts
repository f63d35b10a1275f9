import { imageVersion } from '../core/docker/health.ts'
import { tagOf } from '../core/docker/image-ref.ts'
import type { Companions, ObservedControllers } from '../core/model.ts'

/** Versions of what works beside calico/node on this host, as the plugin prints it and the container's image says. */
export function companionsOf(plugin: string | null, controllers: ObservedControllers | null): Companions {
  return {
    cni: imageVersion(plugin, null),
    controllers: controllers
      ? imageVersion(tagOf(controllers.container.Config.Image), controllers.container.Config.Labels)
      : null,
  }
}
