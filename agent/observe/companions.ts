import { tagOf } from '../core/docker/image-ref.ts'
import type { Companions, ObservedControllers } from '../core/model.ts'
import { imageRelease } from '../core/release/node-versions.ts'

/** Versions of what works beside calico/node on this host, as the plugin prints it and the container's image says. */
export function companionsOf(plugin: string | null, controllers: ObservedControllers | null): Companions {
  return {
    cni: imageRelease(plugin, null),
    controllers: controllers
      ? imageRelease(tagOf(controllers.container.Config.Image), controllers.container.Config.Labels)
      : null,
  }
}
