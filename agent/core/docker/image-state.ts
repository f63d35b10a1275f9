import type { ObservedControllers, ObservedImage } from '../model.ts'
import type { Component, PlannedStep } from '../plan/plan.ts'
import { parseImageRef, repository } from './image-ref.ts'

/** A container, and the image that it was made from. */
export type RunningImage = Pick<ObservedControllers, 'container' | 'image'>

/** By digest where the registry answers: a mutable tag that moved is a change. */
export function runsAlready(running: RunningImage, image: ObservedImage): boolean {
  if (!running.container.State.Running) return false
  const { remote } = image
  // a digest is the content's, whatever the repository
  if ('digest' in remote)
    return (running.image?.RepoDigests ?? []).some((known) => known.endsWith(`@${remote.digest}`))
  return image.local?.Id === running.container.Image
}

/** The pull of the image, where this host does not have what the registry has. */
export function pullSteps(component: Component, image: ObservedImage): PlannedStep[] {
  if (!mustPull(image)) return []
  const digest = 'digest' in image.remote ? { digest: image.remote.digest } : {}
  return [{ kind: 'pull-image', component, args: { image: image.ref, ...digest } }]
}

export function mustPull({ ref, local, remote }: ObservedImage): boolean {
  return 'digest' in remote ? !hasDigest(local, ref, remote.digest) : local === null
}

/** Whether the image is known under that digest in the repository of `ref`. */
export function hasDigest(
  image: { RepoDigests: string[] | null } | null,
  ref: string,
  digest: string,
): boolean {
  const wanted = repository(parseImageRef(ref))
  return (image?.RepoDigests ?? []).some((known) => {
    const parsed = parseImageRef(known)
    return parsed.digest === digest && repository(parsed) === wanted
  })
}
