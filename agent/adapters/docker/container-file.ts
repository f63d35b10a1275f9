import { AgentError } from '../../core/errors.ts'
import type { ContainerArchive, Docker } from '../../ports/docker.ts'
import { answerInvalid, checkAnswer } from './answer.ts'
import type { Request } from './connection.ts'
import { whenRefused } from './errors.ts'
import { readUpTo } from './read.ts'

const maxFileBytes = 1024 * 1024
/** What tar adds to one small file: its header, padding, the end mark, and an extended header for a long name. */
const tarOverheadBytes = 16 * 1024
/** Go's os.ModeType: any of these bits says that it is not a regular file. */
export const typeBits = 0x8f280000

/** The part of the HTTP response that is used. */
export interface ArchiveReply extends AsyncIterable<unknown> {
  headers: Record<string, string | string[] | undefined>
  destroy(): void
}

/** Go's os.ModeSymlink. */
const symlinkBit = 0x08000000

/** Reads by the archive endpoint, which needs neither a running container nor a shell in its image. */
export function readContainerFileCall(request: Request): Docker['readContainerFile'] {
  return async (id, path) => {
    const what = `read ${path} of container ${id}`
    const archive = await request(what, async (engine, abortSignal) => {
      const reply = engine.getContainer(encodeURIComponent(id)).getArchive({ path, abortSignal })
      const stream = (await reply) as unknown as ArchiveReply
      const { mode, size } = pathStat(what, stream)
      if ((mode & typeBits) !== 0 || size > maxFileBytes) stream.destroy()
      if ((mode & typeBits) !== 0) return undefined
      if (size > maxFileBytes) throw tooLarge(what, size)
      return await readUpTo(stream, maxFileBytes + tarOverheadBytes)
    })
      .catch(whenRefused(404, noSuchFile, undefined))
      .catch(whenRefused(500, partIsFile, undefined))
    return archive === undefined ? undefined : await firstFile(what, archive)
  }
}

/** Opens the archive endpoint's tar; its reader decides how long that may take. */
export function openContainerArchiveCall(request: Request): Docker['openContainerArchive'] {
  return async (id, path, signal) => {
    const what = `read ${path} of container ${id}`
    const open = request(
      what,
      async (engine, abortSignal) => {
        const reply = engine.getContainer(encodeURIComponent(id)).getArchive({ path, abortSignal })
        return archiveOf(what, (await reply) as unknown as ArchiveReply)
      },
      { timeoutMs: Infinity, signal },
    )
    return await open
      .catch(whenRefused(404, noSuchFile, undefined))
      .catch(whenRefused(500, partIsFile, undefined))
  }
}

export const noSuchFile = /could not find the file|no such file/i
/** Engine 20.10's answer where a part of the path is a file. */
export const partIsFile = /not a directory/i

function archiveOf(what: string, stream: ArchiveReply): ContainerArchive {
  const { mode, linkTarget } = pathStat(what, stream)
  return {
    kind: (mode & symlinkBit) !== 0 ? 'symlink' : (mode & typeBits) !== 0 ? 'other' : 'file',
    linkTarget,
    tar: stream as AsyncIterable<Uint8Array>,
    close: () => {
      stream.destroy()
    },
  }
}

function tooLarge(what: string, size: number): AgentError {
  return new AgentError(
    'file-too-large',
    `cannot ${what}: it has ${size} bytes, and the limit is ${maxFileBytes}`,
    {
      fix: 'check that this is the right file',
    },
  )
}

/** The Engine describes the path in a header, so that a directory or a huge file need not be transferred. */
export function pathStat(what: string, reply: ArchiveReply): PathStat {
  const header = reply.headers['x-docker-container-path-stat']
  try {
    const stat: unknown = JSON.parse(Buffer.from(String(header), 'base64').toString())
    return checkAnswer(what, stat, { mode: 'number', size: 'number', linkTarget: 'string' }) as PathStat
  } catch (error) {
    reply.destroy()
    throw answerInvalid(what, 'it does not describe the path', error)
  }
}

interface PathStat {
  mode: number
  size: number
  mtime: string
  linkTarget: string
}

async function firstFile(what: string, archive: Buffer): Promise<string | undefined> {
  const { extract } = await import('tar-stream')
  const unpacked = extract()
  unpacked.end(archive)
  try {
    for await (const entry of unpacked) {
      if (entry.header.type === 'file') return (await readUpTo(entry, maxFileBytes)).toString()
      entry.resume()
    }
  } catch (error) {
    throw answerInvalid(what, 'it is not a tar archive', error)
  }
  return undefined
}
