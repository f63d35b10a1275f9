import { matchesImage, parseImageRef } from '../docker/image-ref.ts'
import type { ImageJson } from '../docker/json.ts'
import type { NodeObject } from '../kubernetes/node.ts'
import { imageIdOf } from './pod-container.ts'

/** An image of this host, by the names that the cluster knows of it. */
export interface KnownImage {
  /** With a tag. */
  tags: string[]
  /** With a digest. */
  digests: string[]
  size: number
}

/** Those that the kubelet reports, the 50 largest. */
export function reportedImages({ status = {} }: NodeObject): KnownImage[] {
  return (status.images ?? []).map(({ names, sizeBytes = 0 }) => ({
    tags: (names ?? []).filter((name) => !name.includes('@')),
    digests: (names ?? []).filter((name) => name.includes('@')),
    size: sizeBytes,
  }))
}

/** By what the kubelet says a container was made from: NAME@DIGEST, or an id without a name. */
export function imageOfContainer(ref: string, imageId: string): KnownImage {
  return { tags: [ref], digests: [imageId.replace(/^[a-z-]+:\/\//, '')], size: 0 }
}

/** The first of them under this name, or with this id; undefined where none is. */
export function findImage(
  name: string,
  images: KnownImage[],
  { status = {} }: NodeObject,
): ImageJson | undefined {
  const isId = name.startsWith('sha256:')
  const ref = isId ? null : parseImageRef(name)
  const found = images.find(({ tags, digests }) =>
    ref === null
      ? digests.some((one) => imageIdOf(one) === name)
      : matchesImage(ref, { RepoTags: tags, RepoDigests: digests }),
  )
  if (found === undefined) return undefined
  const { architecture = '', operatingSystem = '' } = status.nodeInfo ?? {}
  return {
    Id: imageIdOf(found.digests[0]) ?? '',
    RepoTags: found.tags,
    RepoDigests: found.digests.filter((one) => one.includes('@')),
    // the kubelet pulls no other one
    Architecture: architecture,
    Os: operatingSystem,
    Size: found.size,
    Config: null,
  }
}
