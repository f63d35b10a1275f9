import {
  familiarName,
  formatImageRef,
  matchesImage,
  parseImageRef,
} from '../../agent/core/docker/image-ref.ts'
import type { ContainerConfig, ImageJson } from '../../agent/core/docker/json.ts'
import { AgentError } from '../../agent/core/errors.ts'
import type { PullProgress } from '../../agent/ports/docker.ts'

export interface FakeImage {
  id: string
  digest: string
  config: Partial<ContainerConfig>
  architecture: string
}

/** Bytes and layers that every fake pull goes through. */
const imageBytes = 1000

function fakeHash(seed: string): string {
  return `sha256:${Buffer.from(seed).toString('hex').slice(-64).padStart(64, '0')}`
}

/** The Engine's image store, and the registry that it pulls from. */
export class FakeImages {
  private readonly local: ImageJson[] = []
  private readonly registry = new Map<string, FakeImage | AgentError>()

  /** Puts an image into the registry, or what the registry answers instead. */
  publish(ref: string, image: Partial<FakeImage> | AgentError = {}): void {
    const shown = formatImageRef(parseImageRef(ref))
    const entry =
      image instanceof AgentError
        ? image
        : {
            id: fakeHash(`id ${shown}`),
            digest: fakeHash(shown),
            config: {},
            architecture: 'amd64',
            ...image,
          }
    this.registry.set(shown, entry)
  }

  remote(ref: string): FakeImage {
    const shown = formatImageRef(parseImageRef(ref))
    const found = this.registry.get(shown)
    if (found instanceof AgentError) throw found
    if (found !== undefined) return found
    throw new AgentError('image-not-found', `cannot pull ${shown}: manifest unknown`, {
      fix: 'check the name and the tag',
    })
  }

  /** Moves the tag to what the registry has, as a pull does: an image that had it before keeps its id only. */
  pull(ref: string, onProgress: (progress: PullProgress) => void): void {
    const remote = this.remote(ref)
    for (const [currentBytes, layersDone] of [
      [0, 0],
      [imageBytes, 1],
    ] as const) {
      onProgress({ currentBytes, totalBytes: imageBytes, layersDone, layers: 1 })
    }
    const parsed = parseImageRef(ref)
    for (const image of this.local) dropReference(image, ref)
    const image = this.byId(remote.id) ?? this.add(remote)
    if (parsed.digest === undefined) image.RepoTags?.push(formatImageRef(parsed))
    const digest = `${familiarName(parsed)}@${remote.digest}`
    if (image.RepoDigests?.includes(digest) === false) image.RepoDigests.push(digest)
  }

  /** By id or by reference. */
  find(ref: string): ImageJson | undefined {
    if (/^(sha256:)?[0-9a-f]{12,64}$/.test(ref)) {
      return this.local.find(({ Id }) => Id.replace('sha256:', '').startsWith(ref.replace('sha256:', '')))
    }
    return this.local.find((image) => matchesImage(parseImageRef(ref), image))
  }

  /** The Engine refuses only to take the last name of an image that a container uses. */
  remove(ref: string, isUsed: (id: string) => boolean): boolean {
    const image = this.find(ref)
    if (image === undefined) return false
    const named = image.RepoTags?.length ?? 0
    if (named <= 1 && isUsed(image.Id)) return false
    dropReference(image, ref)
    if (named <= 1) this.local.splice(this.local.indexOf(image), 1)
    return true
  }

  private byId(id: string): ImageJson | undefined {
    return this.local.find(({ Id }) => Id === id)
  }

  private add({ id, config, architecture }: FakeImage): ImageJson {
    const image: ImageJson = {
      Id: id,
      RepoTags: [],
      RepoDigests: [],
      Architecture: architecture,
      Os: 'linux',
      Size: imageBytes,
      Config: config,
    }
    this.local.push(image)
    return image
  }
}

function dropReference(image: ImageJson, ref: string): void {
  const shown = /^(sha256:|[0-9a-f]{12,64}$)/.test(ref) ? undefined : formatImageRef(parseImageRef(ref))
  image.RepoTags = image.RepoTags?.filter((tag) => tag !== shown) ?? []
}
