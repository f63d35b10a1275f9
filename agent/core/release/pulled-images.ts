import type { ImageJson } from '../docker/json.ts'
import type { Observed, ObservedImage } from '../model.ts'
import { askedVersion } from './node-versions.ts'

/** The requested images. */
export function imagesOf({ image, cni, controllersImage }: Observed): ObservedImage[] {
  return [image, cni?.image ?? null, controllersImage].filter((one) => one !== null)
}

/** The same host, with the images that it has now. */
export function withImages(observed: Observed, local: ReadonlyMap<string, ImageJson>): Observed {
  const now = <I extends ObservedImage | null>(image: I): I =>
    image && { ...image, local: local.get(image.ref) ?? image.local }
  const { image, cni, controllersImage } = observed
  const plugins = now(cni?.image ?? null)
  return {
    ...observed,
    image: now(image),
    cni: cni && plugins ? { ...cni, image: plugins, version: askedVersion(plugins) } : cni,
    controllersImage: now(controllersImage),
  }
}
