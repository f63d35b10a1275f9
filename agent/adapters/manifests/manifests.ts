import { access, constants, lstat, readdir, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { AgentError } from '../../core/errors.ts'
import type { ManifestFile } from '../../core/pod/manifest.ts'
import type { FileAttributes, Manifests } from '../../ports/manifests.ts'
import { bringBack, isThere, removeFile, removeTemp, syncDirectory, writeFileAtomic } from '../atomic-file.ts'
import { fileError, isMissing, reasonOf } from '../file-error.ts'
import { readText } from '../read-file.ts'
import { readPod } from './read-pod.ts'

/** The kubelet's own limit (kubelet/config/file.go, maxConfigLength). */
const MAX_BYTES = 10 * 1024 * 1024
const MODE_BITS = 0o7777

export function createManifests(): Manifests {
  return { list, read, whyReadOnly, attributes, takeOut, put, remove, bringBack }
}

async function list(directory: string): Promise<ManifestFile[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((error: unknown) => {
    // a kubelet may be given a single file in its place: no manifest that is known
    if (isMissing(error) || (error as NodeJS.ErrnoException).code === 'ENOTDIR') return []
    throw fileError('cannot-read', 'read', directory, error)
  })
  const live = entries.filter((entry) => !entry.name.startsWith('.') && !entry.isDirectory())
  return await Promise.all(
    live.map(async (entry): Promise<ManifestFile> => {
      const path = join(directory, entry.name)
      const isLink = entry.isSymbolicLink()
      try {
        const text = (await read(path)) ?? ''
        return { path, isLink, text, pod: await readPod(text) }
      } catch (error) {
        if (!(error instanceof AgentError)) throw error
        return { path, isLink, text: '', pod: { unreadable: error.message } }
      }
    }),
  )
}

async function read(path: string): Promise<string | null> {
  return (await readText(path, MAX_BYTES)) ?? null
}

async function whyReadOnly(directory: string): Promise<string | null> {
  return await access(directory, constants.W_OK).then(() => null, reasonOf)
}

async function attributes(path: string): Promise<FileAttributes | null> {
  const found = await lstat(path).catch(() => null)
  return found && { mode: found.mode & MODE_BITS, uid: found.uid, gid: found.gid }
}

async function takeOut(path: string, wayBack: string): Promise<void> {
  try {
    await rename(path, wayBack)
    await syncDirectory(dirname(path))
  } catch (error) {
    throw fileError('cannot-write', 'take out', path, error)
  }
}

async function put(path: string, text: string, { mode, uid, gid }: FileAttributes): Promise<void> {
  await writeFileAtomic(path, text, { mode, owner: { uid, gid } })
}

/** With what a write that died may have left beside it. */
async function remove(path: string): Promise<void> {
  if (await isThere(path)) await removeFile(path)
  await removeTemp(path)
}
