import { AgentError } from '../core/errors.ts'
import type { Step } from './step.ts'

export const pullImage: Step<'pull-image'> = {
  moves: false,
  describe: ({ image }) => `pull ${image}`,

  async capture({ image }, { docker, probe }) {
    const { dataRoot } = await docker.info()
    const free = await probe.freeBytes(dataRoot)
    if (free !== null && free < NEEDED_BYTES) throw noRoom(image, dataRoot, free)
    return {}
  },

  async do({ image }, _before, { docker, emit, signal }) {
    await docker.pullImage(
      image,
      (progress) => {
        emit({ type: 'pull', image, ...progress })
      },
      signal,
    )
  },

  async verify({ image }, _before, { docker }) {
    const [local, engine] = await Promise.all([docker.inspectImage(image), docker.info()])
    if (!local) {
      throw new AgentError('image-not-found', `cannot use ${image}: Docker pulled it and does not have it`, {
        fix: `docker pull ${image}`,
      })
    }
    if (local.Architecture !== engine.architecture || local.Os !== engine.os) {
      throw wrongArchitecture(
        image,
        `${local.Os}/${local.Architecture}`,
        `${engine.os}/${engine.architecture}`,
      )
    }
    return {}
  },

  goesOn: () => Promise.resolve(false),
  // A pulled image harms nothing and makes the next try quick; retention removes it.
  undo: () => Promise.resolve({}),
}

/** The layers as they come, and unpacked: a calico/node takes some 150 MB and 400 MB. */
const NEEDED_BYTES = 600e6

function noRoom(image: string, dataRoot: string, free: number): AgentError {
  const said = `${dataRoot} has ${(free / 1e6).toFixed(0)} MB free, and a pull may take ${NEEDED_BYTES / 1e6} MB`
  return new AgentError('no-space', `cannot pull ${image}: ${said}`, {
    fix: `make room: docker system df, docker image prune; or docker pull ${image} by hand, if it is smaller`,
  })
}

function wrongArchitecture(image: string, has: string, needs: string): AgentError {
  return new AgentError(
    'wrong-architecture',
    `cannot use ${image}: it is for ${has}, this host is ${needs}`,
    {
      fix: `name an image that is built for ${needs}`,
    },
  )
}
