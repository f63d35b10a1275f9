import { pipeline } from 'node:stream/promises'
import type { Docker } from '../../ports/docker.ts'
import type { Request } from './connection.ts'
import { type ArchiveReply, pathStat, typeBits } from './container-file.ts'
import { demultiplex } from './exec.ts'

const timeoutMs = 2_000
/** runit's svlogd keeps files of 1 MB, Calico's confd of 10 MB. */
const maxFileBytes = 32 * 1024 * 1024
const tailBytes = 16 * 1024

/** The end of a container's log. It explains a failure and must not delay what follows: no log is an empty text. */
export function containerLogCall(request: Request): Docker['containerLog'] {
  return async (id, lines) => {
    try {
      const raw = await request(
        `read the log of container ${id}`,
        (engine, abortSignal) =>
          engine
            .getContainer(encodeURIComponent(id))
            .logs({ stdout: true, stderr: true, tail: lines, follow: false, abortSignal }),
        { timeoutMs },
      )
      return isFramed(raw) ? demultiplex(raw) : raw.toString()
    } catch {
      return ''
    }
  }
}

/** The archive endpoint sends a file from its beginning: read it all, and keep its end. */
export function containerFileTailCall(request: Request): Docker['containerFileTail'] {
  return async (id, path) => {
    const what = `read the end of ${path} of container ${id}`
    try {
      return await request(
        what,
        async (engine, abortSignal) => {
          const reply = engine.getContainer(encodeURIComponent(id)).getArchive({ path, abortSignal })
          const stream = (await reply) as unknown as ArchiveReply
          const { mode, size, mtime } = pathStat(what, stream)
          if ((mode & typeBits) === 0 && size <= maxFileBytes)
            return { text: await endOfFile(stream), modifiedAt: mtime }
          stream.destroy()
          return undefined
        },
        { timeoutMs },
      )
    } catch {
      return undefined
    }
  }
}

/** The end of the one file in the tar, without a truncated first line. */
async function endOfFile(tar: ArchiveReply): Promise<string> {
  const { extract } = await import('tar-stream')
  const kept = { bytes: Buffer.alloc(0), isCut: false }
  const unpacked = extract()
  unpacked.on('entry', (_header, content, next) => {
    content.on('data', (chunk) => {
      const all = Buffer.concat([kept.bytes, chunk as Buffer])
      kept.isCut ||= all.length > tailBytes
      kept.bytes = all.subarray(-tailBytes)
    })
    content.on('end', next)
  })
  await pipeline(tar, unpacked)
  const text = kept.bytes.toString()
  return kept.isCut ? text.slice(text.indexOf('\n') + 1) : text
}

/** A container with a terminal logs without frames. */
function isFramed(raw: Buffer): boolean {
  return raw.length >= 8 && raw.readUInt8(0) <= 2 && raw.readUIntBE(1, 3) === 0
}
