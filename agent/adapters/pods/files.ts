import { lstat, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { FileTail } from '../../ports/docker.ts'
import { openRegular, readRegularFile } from '../read-file.ts'
import { type Proc, refuseUnlessGone } from './proc.ts'

const MAX_FILE_BYTES = 1024 * 1024
const TAIL_BYTES = 16 * 1024
/** A log has a prefix before each line. */
const LOG_BYTES = 64 * 1024
/** As many as the kernel follows. */
const MOST_LINKS = 40

/** Text of a regular file inside a container, whose mounts count; undefined where there is none. */
export async function readInside(proc: Proc, pid: number, path: string): Promise<string | undefined> {
  const found = await placeOf(proc, pid, path)
  const bytes = found && (await readRegularFile(found, { maxBytes: MAX_FILE_BYTES, noFollow: true }))
  return bytes?.toString()
}

export async function tailInside(proc: Proc, pid: number, path: string): Promise<FileTail | undefined> {
  const found = await placeOf(proc, pid, path)
  return found === undefined ? undefined : await endOfFile(found, TAIL_BYTES)
}

export async function endOfLog(path: string): Promise<string> {
  return (await endOfFile(path, LOG_BYTES)).text
}

/** Without a first line that is cut. */
async function endOfFile(path: string, most: number): Promise<FileTail> {
  const file = await openRegular(path)
  try {
    const { size, mtime } = await file.stat()
    const start = Math.max(0, size - most)
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(most), position: start })
    const text = buffer.subarray(0, bytesRead).toString()
    return {
      text: start > 0 ? text.slice(text.indexOf('\n') + 1) : text,
      modifiedAt: mtime.toISOString(),
    }
  } finally {
    await file.close()
  }
}

/**
 * Where the process has the path, under its root. Links are followed here: the kernel would follow an absolute one to this
 * process' own root. Undefined where there is nothing.
 */
async function placeOf(proc: Proc, pid: number, path: string): Promise<string | undefined> {
  const root = proc.path(pid, 'root')
  let rest = path.split('/')
  let place: string[] = []
  for (let links = 0; rest.length > 0; ) {
    const [part = '', ...further] = rest
    rest = further
    if (part === '' || part === '.') continue
    if (part === '..') {
      place = place.slice(0, -1)
      continue
    }
    const here = join(root, ...place, part)
    const target = await linkTarget(here, pid)
    if (target === undefined) return undefined
    if (target === null) {
      place = [...place, part]
      continue
    }
    links += 1
    if (links > MOST_LINKS) return undefined
    if (target.startsWith('/')) place = []
    rest = [...target.split('/'), ...rest]
  }
  return join(root, ...place)
}

/** Null where it is no link, undefined where there is nothing. */
async function linkTarget(path: string, pid: number): Promise<string | null | undefined> {
  try {
    return (await lstat(path)).isSymbolicLink() ? await readlink(path) : null
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOTDIR') refuseUnlessGone(error, pid)
    return undefined
  }
}
