import { tagOf } from './docker/image-ref.ts'
import { runsAlready } from './docker/image-state.ts'
import { known } from './known.ts'
import { replacedImages } from './kubernetes/daemon-set.ts'
import type { ObservedImage, ObservedNode } from './model.ts'

/** calico/node runs the image, or the same release of a mirror that an admission webhook has put in its place. */
export function nodeRuns(node: ObservedNode, image: ObservedImage): boolean {
  const set = known(node.daemonSet)
  const isReplaced =
    set !== null &&
    node.container.State.Running &&
    replacedImages(set).some(({ from, to }) => from === image.ref && tagOf(from) === tagOf(to))
  return isReplaced || runsAlready(node, image)
}
