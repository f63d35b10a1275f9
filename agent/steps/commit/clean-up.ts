import { counted } from '../../core/counted.ts'
import type { Problem } from '../../core/errors.ts'
import type { Step } from '../step.ts'

/** After the commit: removes what earlier runs kept for a rollback and retention no longer needs. */
export const cleanUp: Step<'clean-up'> = {
  moves: true,
  describe: ({ containers, images, files = [] }) =>
    `clean up: ${[
      ...(containers.length + images.length > 0
        ? [counted(containers.length, 'parked container'), counted(images.length, 'image')]
        : []),
      ...(files.length > 0 ? [`${counted(files.length, 'file')} kept for a rollback`] : []),
    ].join(', ')}`,
  capture: () => Promise.resolve({}),

  // The new container is committed: a failed removal is a warning, and undoes nothing.
  async do({ containers, images, files = [] }, _before, { docker, configs }) {
    await Promise.allSettled([
      ...containers.map((id) => docker.removeContainer(id)),
      ...files.map((path) => configs.remove(path)),
    ])
    // not in parallel: Docker keeps the image of a container that is still being removed
    await Promise.allSettled(images.map((image) => docker.removeImage(image)))
  },

  async verify({ containers, files = [] }, _before, { docker, configs }) {
    const [left, leftFiles] = await Promise.all([
      Promise.all(containers.map((id) => docker.inspectContainer(id))),
      Promise.all(files.map(async (path) => ((await configs.exists(path)) ? [path] : []))),
    ])
    const names = left.flatMap((container) => (container ? [container.Id.slice(0, 12)] : []))
    return { problems: [...names.map(leftover), ...leftFiles.flat().map(leftFile)] }
  },
  goesOn: () => Promise.resolve(true),
  undo: () => Promise.resolve({}),
}

function leftover(short: string): Problem {
  return {
    code: 'leftover',
    severity: 'warning',
    message: `cannot remove ${short}, a container that an earlier run parked`,
    fix: `docker rm ${short}`,
  }
}

function leftFile(path: string): Problem {
  return {
    code: 'leftover',
    severity: 'warning',
    message: `cannot remove ${path}, kept for the rollback of a run that is now committed`,
    fix: `rm ${path}`,
  }
}
