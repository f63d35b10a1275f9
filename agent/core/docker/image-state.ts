import type { ObservedControllers, ObservedImage } from '../model.ts'
import type { Change, Component, PlannedStep } from '../plan/plan.ts'
import { parseImageRef, repository } from './image-ref.ts'

/** A container, and the image that it was made from. */
export type RunningImage = Pick<ObservedControllers, 'container' | 'image'>

/** By digest where the registry answers: a mutable tag that moved is a change. */
export function runsAlready(running: RunningImage, image: ObservedImage): boolean {
  return running.container.State.Running && isMadeFrom(running, image)
}

/** From the image that the container names to the one that is asked for. */
export function imageChange(running: RunningImage, image: ObservedImage): Change {
  const from = running.container.Config.Image
  // of an image that was pruned nothing is known
  const tagMoved = from === image.ref && running.image !== null && !isMadeFrom(running, image)
  return { from, to: image.ref, ...(tagMoved && { tagMoved }) }
}

function isMadeFrom(running: RunningImage, image: ObservedImage): boolean {
  const { remote } = image
  // a digest is the content's, whatever the repository
  if ('digest' in remote)
    return (running.image?.RepoDigests ?? []).some((known) => known.endsWith(`@${remote.digest}`))
  // where nobody can be asked what the name means now, it means the same
  const isUnknown = image.local === null || running.container.Image === ''
  if ('unasked' in remote && isUnknown) return running.container.Config.Image === image.ref
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
