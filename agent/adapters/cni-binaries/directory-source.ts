import { type FileHandle, readdir, realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { fileError } from '../file-error.ts'
import { openRegular } from '../read-file.ts'
import {
  bounded,
  missingBinaries,
  type ReadSource,
  refused,
  type SourceFile,
  type TakeFile,
} from './source.ts'

/** `fileOf` names the file of a plugin, where it is not the plugin's own name. */
export function directorySource(path: string, fileOf = (name: string): string => name): ReadSource {
  return async (names, take, signal) => {
    const { root, there } = await look(path)
    const missing = names.filter((name) => !there.includes(fileOf(name)))
    if (missing.length > 0) throw missingBinaries(path, missing, there)
    for (const name of names) await takeFile(root, { name, file: fileOf(name) }, take, signal)
  }
}

async function look(path: string): Promise<{ root: string; there: string[] }> {
  try {
    const root = await realpath(path)
    const entries = await readdir(root, { withFileTypes: true })
    return { root, there: entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name) }
  } catch (error) {
    throw fileError('cni-source-unreadable', 'read', path, error)
  }
}

async function takeFile(
  root: string,
  { name, file }: { name: string; file: string },
  take: TakeFile,
  signal: AbortSignal,
): Promise<void> {
  const path = join(root, file)
  const target = await insideOf(root, path)
  let handle: FileHandle
  try {
    handle = await openRegular(target, true)
  } catch (error) {
    throw fileError('cni-source-unreadable', 'read', path, error)
  }
  try {
    await take(await fileOf(handle, name, path, signal))
  } finally {
    await handle.close()
  }
}

async function fileOf(
  handle: FileHandle,
  name: string,
  path: string,
  signal: AbortSignal,
): Promise<SourceFile> {
  const { mode } = await handle.stat()
  const stream = handle.createReadStream({ autoClose: false, highWaterMark: 1024 * 1024 })
  const content = bounded(stream as AsyncIterable<Uint8Array>, path, signal)
  return { name, executable: (mode & 0o111) !== 0, content }
}

/** A link may lead to another name of the directory, not out of it. */
async function insideOf(root: string, path: string): Promise<string> {
  let target: string
  try {
    target = await realpath(path)
  } catch (error) {
    throw fileError('cni-source-unreadable', 'read', path, error)
  }
  if (target.startsWith(root + sep)) return target
  throw refused('cni-source-hostile', path, `it is a symbolic link to ${target}, outside the source`, {
    fix: `use the directory that contains the file: ${target}`,
  })
}
