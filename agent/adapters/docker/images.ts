import type { ImageJson } from '../../core/docker/json.ts'
import type { Docker } from '../../ports/docker.ts'
import { checkAnswer, type Shape } from './answer.ts'
import type { Request } from './connection.ts'
import { whenRefused } from './errors.ts'
import { getJson } from './get-json.ts'

type ImageCalls = Pick<Docker, 'inspectImage' | 'removeImage'>

/** Deleting a large image's layers takes longer than any look-up. */
const removalTimeoutMs = 120_000
/** The calls on the images of this host. One may be given by reference or by id. */
export function imageCalls(request: Request): ImageCalls {
  return {
    async inspectImage(ref) {
      const what = `inspect image ${ref}`
      const found = await request(what, (engine, abortSignal) =>
        getJson(engine, `/images/${pathOf(ref)}/json`, abortSignal),
      ).catch(whenRefused(404, /no such image/i, undefined))
      return found === undefined ? undefined : (checkAnswer(what, found, imageShape) as ImageJson)
    },

    async removeImage(ref) {
      return await request(
        `remove image ${ref}`,
        (engine, abortSignal) =>
          engine
            .getImage(pathOf(ref))
            .remove({ force: false, abortSignal })
            .then(() => true),
        { timeoutMs: removalTimeoutMs },
      )
        .catch(whenRefused(404, /no such image/i, false))
        .catch(whenRefused(409, /unable to (remove|delete)|in use|is using/i, false))
    },
  }
}

const imageShape: Shape = {
  ...{ Id: 'string', Architecture: 'string', Os: 'string', Config: 'object?' },
  ...{ RepoTags: 'array?', RepoDigests: 'array?' },
}

/** The Engine's routes take the slashes of a reference as they are. */
function pathOf(ref: string): string {
  return ref.split('/').map(encodeURIComponent).join('/')
}
