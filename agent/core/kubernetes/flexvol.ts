import { formatImageRef, parseImageRef } from '../docker/image-ref.ts'
import { imageName, type TemplateImage } from './template.ts'

/** The FlexVolume driver's image of the release that calico/node is of; null where the template installs none. */
export function flexvolImage(template: TemplateImage[], nodeImage: string): string | null {
  const { tag } = parseImageRef(nodeImage)
  const current = template.find((one) => isFlexvol(one))?.image
  if (current === undefined || tag === undefined) return null
  const { registry, path } = parseImageRef(current)
  return formatImageRef({ registry, path, tag })
}

export function isFlexvol({ image }: TemplateImage): boolean {
  return imageName(image) === 'pod2daemon-flexvol'
}
