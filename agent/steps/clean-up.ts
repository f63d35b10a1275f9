import type { Problem } from '../core/errors.ts'
import type { Step } from './step.ts'

/** After the commit: what earlier runs kept as their way back, as far as retention no longer asks for it. */
export const cleanUp: Step<'clean-up'> = {
  moves: true,
  describe: ({ containers, images, files = [] }) =>
    `clean up: ${containers.length} parked containers, ${images.length} images, ${files.length} CNI plugins`,
  capture: () => Promise.resolve({}),

  // The new container is committed: what cannot be removed now is said, and undoes nothing.
  async do({ containers, images, files = [] }, _before, { docker, cni }) {
    await Promise.allSettled([
      ...containers.map((id) => docker.removeContainer(id)),
      ...images.map((image) => docker.removeImage(image)),
      cni.removeFiles(files),
    ])
  },

  async verify({ containers }, _before, { docker }) {
    const left = await Promise.all(containers.map((id) => docker.inspectContainer(id)))
    return { problems: left.flatMap((container) => (container ? [leftover(container.Id)] : [])) }
  },
  goesOn: () => Promise.resolve(true),
  undo: () => Promise.resolve({}),
}

function leftover(id: string): Problem {
  const short = id.slice(0, 12)
  return {
    code: 'leftover',
    severity: 'warning',
    message: `cannot remove ${short}, a container that an earlier run parked`,
    fix: `docker rm ${short}`,
  }
}
