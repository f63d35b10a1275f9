import { AgentError } from '../core/errors.ts'
import type { Step } from './step.ts'

export const pullImage: Step<'pull-image'> = {
  moves: false,
  describe: ({ image }) => `pull ${image}`,
  capture: () => Promise.resolve({}),

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

function wrongArchitecture(image: string, has: string, needs: string): AgentError {
  return new AgentError(
    'wrong-architecture',
    `cannot use ${image}: it is for ${has}, this host is ${needs}`,
    {
      fix: `name an image that is built for ${needs}`,
    },
  )
}
