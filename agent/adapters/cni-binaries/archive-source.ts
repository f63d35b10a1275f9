import type { FileHandle } from 'node:fs/promises'
import { basename, join, normalize } from 'node:path'
import { createGunzip } from 'node:zlib'
import type { Header } from 'tar-stream'
import { AgentError } from '../../core/errors.ts'
import { messageOf } from '../../core/message-of.ts'
import { fileError } from '../file-error.ts'
import { openRegular } from '../read-file.ts'
import { bounded, missingBinaries, type ReadSource, refused } from './source.ts'
import { untar } from './untar.ts'

/** What a decompression bomb is stopped at; a release of Calico with its images is below. */
const MAX_ARCHIVE_BYTES = 2 * 1024 * 1024 * 1024
const MAX_ENTRIES = 100_000
/** Of all entries together: 100 bytes of a name fit into the 512 of its header, a longer one takes three of these. */
const MAX_HEADER_BYTES = 64 * 1024 * 1024
/** Names of others are kept to say what there is. */
const MAX_KNOWN = 1000
/** PATH_MAX of Linux. */
const MAX_NAME = 4096
const GZIP_MAGIC = Buffer.from([0x1f, 0x8b])

/** A `.tar`, `.tar.gz` or `.tgz`: a plugin may lie at any depth in it, once. */
export function archiveSource(path: string): ReadSource {
  return async (names, take, signal) => {
    const file = await openArchive(path)
    const seen = new Map<string, string>()
    const read = { bytes: 0, contents: 0 }
    let entries = 0
    try {
      const tar = withinHeaders(await unpacked(file, path, signal), read, path)
      for await (const { header, content: raw } of untar(tar)) {
        read.contents += header.size
        if (++entries > MAX_ENTRIES) throw hostile(path, `it has more than ${MAX_ENTRIES} entries`)
        checkEntry(path, header)
        const name = basename(header.name)
        const isFile = header.type === 'file' || header.type === 'contiguous-file'
        if (names.includes(name) && header.type !== 'directory') {
          checkWanted(path, header, isFile, seen.get(name))
          const content = bounded(raw, `${path}: ${header.name}`, signal)
          await take({ name, executable: (header.mode & 0o111) !== 0, content })
        }
        if (isFile && (names.includes(name) || seen.size < MAX_KNOWN)) seen.set(name, header.name)
      }
    } catch (error) {
      signal.throwIfAborted()
      throw error instanceof AgentError ? error : unreadable(path, error)
    } finally {
      await file.close()
    }
    const missing = names.filter((name) => !seen.has(name))
    if (missing.length > 0) throw missingBinaries(path, missing, [...seen.keys()])
  }
}

async function openArchive(path: string): Promise<FileHandle> {
  try {
    return await openRegular(path)
  } catch (error) {
    throw fileError('cni-source-unreadable', 'read', path, error)
  }
}

async function unpacked(
  file: FileHandle,
  path: string,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const { buffer } = await file.read({ buffer: Buffer.alloc(GZIP_MAGIC.length), position: 0 })
  const stream = file.createReadStream({ autoClose: false, start: 0, highWaterMark: 1024 * 1024 })
  if (!buffer.equals(GZIP_MAGIC)) return bounded(stream, path, signal, MAX_ARCHIVE_BYTES)
  const unzipped = createGunzip({ chunkSize: 1024 * 1024 })
  stream.on('error', (error) => unzipped.destroy(error))
  return bounded(stream.pipe(unzipped), path, signal, MAX_ARCHIVE_BYTES)
}

/** What is read beyond the contents are headers: extended ones (pax) may be of any size, and pack to nothing. */
async function* withinHeaders(
  tar: AsyncIterable<Uint8Array>,
  read: { bytes: number; contents: number },
  path: string,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of tar) {
    yield chunk
    read.bytes += chunk.length
    if (read.bytes - read.contents > MAX_HEADER_BYTES)
      throw hostile(path, `its headers are larger than ${MAX_HEADER_BYTES / 1024 / 1024} MB`)
  }
}

/** Nothing of it is unpacked by these names: an archive that has one was made to harm, or for another purpose. */
function checkEntry(path: string, { name, type, linkname, pax }: Header): void {
  if (name.length > MAX_NAME) throw hostile(path, `it has a name of ${name.length} characters`)
  if (name.startsWith('/')) throw hostile(path, `${name} is an absolute path`)
  if (climbs(name)) throw hostile(path, `${name} points outside the archive`)
  if (typeof pax === 'object' && pax !== null && Object.keys(pax).some((key) => key.startsWith('GNU.sparse')))
    throw hostile(path, `${name} is a sparse file`)
  if (type === 'symlink') {
    if (linkname.startsWith('/') || climbs(join(name, '..', linkname)))
      throw hostile(path, `${name} is a symbolic link to a place outside the archive, ${linkname}`)
    return
  }
  if (type === 'file' || type === 'contiguous-file' || type === 'directory') return
  throw hostile(path, `${name} is ${kindOf(type)}`)
}

function climbs(name: string): boolean {
  const path = normalize(name)
  return path === '..' || path.startsWith('../') || path.startsWith('/')
}

function kindOf(type: string | null | undefined): string {
  if (type === 'link') return 'a hard link'
  if (type == null) return 'a sparse file, or of an unknown type'
  return `a ${type.replace('-', ' ')}`
}

function checkWanted(path: string, { name }: Header, isFile: boolean, earlier: string | undefined): void {
  if (!isFile) {
    throw refused('cni-source-hostile', `${path}: ${name}`, 'it is a symbolic link', {
      fix: 'recreate the archive with tar --dereference',
    })
  }
  if (earlier === undefined) return
  throw refused(
    'cni-source-ambiguous',
    path,
    `it contains ${basename(name)} twice, as ${earlier} and ${name}`,
    {
      fix: 'unpack it, and set cni.directory to the one you want',
    },
  )
}

function hostile(path: string, reason: string): AgentError {
  return refused('cni-source-hostile', path, reason, {
    fix: 'check where it comes from; tar --hard-dereference --dereference creates one with plain files only',
  })
}

function unreadable(path: string, error: unknown): AgentError {
  const reason = messageOf(error)
  return refused('cni-source-unreadable', path, `it is not a complete tar or tar.gz: ${reason}`, {
    fix: `tar -tf ${path}`,
    cause: error,
  })
}
