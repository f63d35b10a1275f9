import { imageVersion } from '../core/docker/health.ts'
import { tagOf } from '../core/docker/image-ref.ts'
import type { Companions, Observed } from '../core/model.ts'

type Seen = Pick<Observed, 'controllers' | 'deployment'>

/** Versions of what works beside calico/node, as the plugin prints it and the image of the controllers says. */
export function companionsOf(plugin: string | null, seen: Seen): Companions {
  return { cni: imageVersion(plugin, null), controllers: versionOf(seen) }
}

function versionOf({ controllers, deployment }: Seen): string | null {
  if (deployment && 'image' in deployment)
    return deployment.image === null ? null : imageVersion(tagOf(deployment.image), null)
  if (!controllers) return null
  const { Image, Labels } = controllers.container.Config
  return imageVersion(tagOf(Image), Labels)
}
