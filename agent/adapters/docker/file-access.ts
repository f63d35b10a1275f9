import { Readable } from 'node:stream'
import type { FileAccess } from '../../core/docker/file-access.ts'
import type { Docker } from '../../ports/docker.ts'
import type { Request } from './connection.ts'
import { type ArchiveReply, noSuchFile, partIsFile, pathStat } from './container-file.ts'
import { whenRefused } from './errors.ts'

/** Go's os.ModeSymlink. */
const symlinkBit = 0x08000000
/** As the kernel follows them. */
const MOST_LINKS = 40

/** Uses the archive endpoint, which also sees mounts; reads only the entry of a directory itself. */
export function fileAccessCall(request: Request): Docker['fileAccess'] {
  return async (id, path) => {
    let place = path
    for (let links = 0; links <= MOST_LINKS; links++) {
      const found = await headOf(request, id, place)
      if (found === undefined || typeof found !== 'string') return found
      place = found
    }
    return undefined
  }
}

/** Of a link, where it leads inside the container. */
async function headOf(request: Request, id: string, path: string): Promise<FileAccess | string | undefined> {
  const what = `stat ${path} of container ${id}`
  return await request(what, async (engine, abortSignal) => {
    const reply = engine.getContainer(encodeURIComponent(id)).getArchive({ path, abortSignal })
    const stream = (await reply) as unknown as ArchiveReply
    const { mode, linkTarget } = pathStat(what, stream)
    try {
      return (mode & symlinkBit) !== 0 ? linkTarget : await firstEntry(stream)
    } finally {
      stream.destroy()
    }
  })
    .catch(whenRefused(404, noSuchFile, undefined))
    .catch(whenRefused(500, partIsFile, undefined))
}

async function firstEntry(stream: ArchiveReply): Promise<FileAccess | undefined> {
  const { extract } = await import('tar-stream')
  const unpacked = extract()
  const tar = Readable.from(stream as AsyncIterable<Uint8Array>)
  tar.on('error', (error) => {
    unpacked.destroy(error)
  })
  tar.pipe(unpacked)
  try {
    for await (const { header } of unpacked) return { uid: header.uid, gid: header.gid, mode: header.mode }
  } finally {
    tar.destroy()
  }
  return undefined
}
