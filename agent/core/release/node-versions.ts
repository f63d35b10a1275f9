import { imageVersion } from '../docker/health.ts'
import { tagOf } from '../docker/image-ref.ts'
import { mustPull, type RunningImage } from '../docker/image-state.ts'
import type { ObservedImage } from '../model.ts'

/** The running and the requested version, by tag or label; null if neither states it. */
export function nodeVersions(
  running: RunningImage,
  asked: ObservedImage,
): { from: string | null; to: string | null } {
  return { from: runningVersion(running), to: askedVersion(asked) }
}

/** If a tag has moved, this host's image with that tag says nothing about what the pull will return. */
export function askedVersion(image: ObservedImage): string | null {
  return imageVersion(tagOf(image.ref), mustPull(image) ? null : image.local?.Config?.Labels)
}

export function runningVersion({ container, image }: RunningImage): string | null {
  return imageVersion(tagOf(container.Config.Image), image?.Config?.Labels)
}

export function versionText(version: string | null): string {
  return version === null ? 'unknown' : `v${version}`
}
