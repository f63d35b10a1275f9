import { imageVersion } from '../docker/health.ts'
import { tagOf } from '../docker/image-ref.ts'
import { mustPull, type RunningImage } from '../docker/image-state.ts'
import type { ObservedImage } from '../model.ts'

/** What runs and what is asked for, by tag or label; null where neither states it. */
export function nodeVersions(
  running: RunningImage,
  asked: ObservedImage,
): { from: string | null; to: string | null } {
  return { from: runningVersion(running), to: askedVersion(asked) }
}

/** What this host has under a tag that has moved since tells nothing of what the pull will bring. */
export function askedVersion(image: ObservedImage): string | null {
  return imageVersion(tagOf(image.ref), mustPull(image) ? null : image.local?.Config?.Labels)
}

export function runningVersion({ container, image }: RunningImage): string | null {
  return imageVersion(tagOf(container.Config.Image), image?.Config?.Labels)
}

export function versionText(version: string | null): string {
  return version === null ? 'unknown' : `v${version}`
}
