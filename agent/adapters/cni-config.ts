import { access, constants, lstat, readdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { remove as removeTree } from 'fs-extra/esm'
import { type ConfigFile, LIVE_ENDING } from '../core/cni/config.ts'
import { AgentError, type Problem } from '../core/errors.ts'
import { messageOf } from '../core/message-of.ts'
import type { CniConfigs } from '../ports/cni-config.ts'
import { bringBack, linkAs, removeFile, removeTemp, syncDirectory, writeFileAtomic } from './atomic-file.ts'
import { fileError, isMissing } from './file-error.ts'
import { readRegularFile } from './read-file.ts'

const MAX_BYTES = 1_048_576
const MODE_BITS = 0o7777

export function createCniConfigs(): CniConfigs {
  return { list, read, replace, restore, remove, directoryProblem, exists, isProgram }
}

async function list(directory: string): Promise<ConfigFile[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw unreadable(directory, error)
  })
  const live = entries.filter((entry) => LIVE_ENDING.test(entry.name) && !entry.isDirectory())
  return await Promise.all(
    live.map(async (entry) => ({
      name: entry.name,
      isLink: entry.isSymbolicLink(),
      content: await contentOf(join(directory, entry.name)),
    })),
  )
}

/** The kubelet does not use a file that cannot be read. */
async function contentOf(path: string): Promise<ConfigFile['content']> {
  try {
    const text = await read(path)
    return text === null ? { unreadable: 'it is missing, or a broken link' } : { text }
  } catch (error) {
    if (error instanceof AgentError) return { unreadable: error.message }
    throw error
  }
}

async function read(path: string): Promise<string | null> {
  const bytes = await readRegularFile(path, { maxBytes: MAX_BYTES })
  if (bytes === undefined) return null
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (error) {
    throw unreadable(path, new Error('it is not UTF-8 text', { cause: error }))
  }
}

async function replace(path: string, text: string, wayBack: string): Promise<void> {
  await linkAs(path, wayBack)
  await write(path, text)
}

async function restore(path: string, text: string, wayBack: string): Promise<void> {
  const isBack = await bringBack(wayBack, path)
  if (!isBack && (await read(path)) !== text) await write(path, text)
  await removeTemp(path)
}

async function write(path: string, text: string): Promise<void> {
  const { mode, uid, gid } = await lstat(path).catch(() => ({ mode: 0o644, uid: 0, gid: 0 }))
  await writeFileAtomic(path, text, { mode: mode & MODE_BITS, owner: { uid, gid } })
}

async function remove(path: string): Promise<void> {
  const stats = await lstat(path).catch(() => null)
  if (stats?.isDirectory() !== true) {
    await removeFile(path)
    return
  }
  try {
    await removeTree(path)
    await syncDirectory(dirname(path))
  } catch (error) {
    throw fileError('cannot-write', 'remove', path, error)
  }
}

async function directoryProblem(directory: string): Promise<Problem | null> {
  try {
    // root passes every permission check: only a read-only file system says no
    await access(directory, constants.W_OK)
    return null
  } catch (error) {
    // a missing directory shows when its files are looked for
    if (isMissing(error)) return null
    return fileError('cni-config-dir-unusable', 'replace files in', directory, error).asProblem()
  }
}

async function exists(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    () => false,
  )
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK)
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}

function unreadable(path: string, cause: unknown): AgentError {
  const reason = messageOf(cause)
  return new AgentError('cannot-read', `cannot read ${path}: ${reason}`, { fix: `ls -l ${path}`, cause })
}
