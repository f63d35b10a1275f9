import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { AgentError } from '../core/errors.ts'
import { fileError, isMissing, unfit } from './file-error.ts'

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants

/**
 * Opens a regular file to read; the caller closes it. Refuses a FIFO or a device without waiting for it: use this for
 * every path that others may have created.
 */
export async function openRegular(path: string, noFollow = false): Promise<FileHandle> {
  const file = await open(path, O_RDONLY | O_NONBLOCK | (noFollow ? O_NOFOLLOW : 0))
  try {
    if ((await file.stat()).isFile()) return file
    throw unfit('it is not a regular file', 'replace it with a regular file')
  } catch (error) {
    await file.close()
    throw error
  }
}

/**
 * The content of a regular file; undefined where there is no such file.
 * @throws AgentError `cannot-read`
 */
export async function readRegularFile(
  path: string,
  { maxBytes, noFollow = false }: { maxBytes: number; noFollow?: boolean },
): Promise<Buffer | undefined> {
  try {
    const file = await openRegular(path, noFollow)
    try {
      return await readUpTo(file, maxBytes)
    } finally {
      await file.close()
    }
  } catch (error) {
    if (isMissing(error)) return undefined
    throw fileError('cannot-read', 'read', path, error)
  }
}

/**
 * The same of a text in UTF-8, to the byte.
 * @throws AgentError `cannot-read`
 */
export async function readText(path: string, maxBytes: number): Promise<string | undefined> {
  const bytes = await readRegularFile(path, { maxBytes })
  const text = bytes?.toString('utf8')
  if (bytes === undefined || text === undefined || Buffer.from(text).equals(bytes)) return text
  throw new AgentError('cannot-read', `cannot read ${path}: it is not UTF-8`, {
    fix: `convert it to UTF-8: iconv -f ENCODING -t UTF-8 ${path} > ${path}.utf8, then mv ${path}.utf8 ${path}`,
  })
}

/** Reads one byte more than it may, rather than trusting the size: the file may grow. */
async function readUpTo(file: FileHandle, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let total = 0
  for (;;) {
    const { bytesRead, buffer } = await file.read({
      buffer: Buffer.alloc(Math.min(65_536, maxBytes + 1 - total)),
    })
    if (bytesRead === 0) return Buffer.concat(chunks)
    chunks.push(buffer.subarray(0, bytesRead))
    total += bytesRead
    if (total > maxBytes)
      throw unfit(`it is larger than ${maxBytes} bytes`, 'check that it is the right file, and shorten it')
  }
}
