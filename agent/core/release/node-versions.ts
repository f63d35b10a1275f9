import semver from 'semver'
import { imageVersion } from '../docker/health.ts'
import { tagOf } from '../docker/image-ref.ts'
import type { RunningImage } from '../docker/image-state.ts'
import type { ObservedImage } from '../model.ts'

/** What runs and what is asked for, by tag or label; null where neither states it. */
export function nodeVersions(
  running: RunningImage,
  asked: ObservedImage,
): { from: string | null; to: string | null } {
  return { from: runningVersion(running), to: askedVersion(asked) }
}

export function askedVersion({ ref, local }: ObservedImage): string | null {
  return imageRelease(tagOf(ref), local?.Config?.Labels)
}

export function runningVersion({ container, image }: RunningImage): string | null {
  return imageRelease(tagOf(container.Config.Image), image?.Config?.Labels)
}

const PRE_RELEASE = /^(alpha|beta|rc|dev|\d)/

/** The version without the suffix of a build: `v2.6.12-amd64` is no pre-release of 2.6.12. */
export function imageRelease(...image: Parameters<typeof imageVersion>): string | null {
  const version = imageVersion(...image)
  const parsed = semver.parse(version)
  if (parsed === null || PRE_RELEASE.test(String(parsed.prerelease[0] ?? ''))) return version
  return `${parsed.major}.${parsed.minor}.${parsed.patch}`
}

export function versionText(version: string | null): string {
  return version === null ? 'unknown' : `v${version}`
}
