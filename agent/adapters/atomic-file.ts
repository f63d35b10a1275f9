import { constants } from 'node:fs'
import { type FileHandle, link, lstat, open, rename, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileError, isMissing, unfit } from './file-error.ts'

const { O_APPEND, O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants

/** Appends text durably: on disk when the promise resolves. */
export interface AppendFile {
  append(text: string): Promise<void>
  close(): Promise<void>
}

/**
 * Puts a whole new content in place of a file: after a crash or a power cut at any time the old or the new content
 * is there, never a part. Until the rename, an error leaves the file as it was and no temporary file behind.
 * The caller is the only writer: a temporary file of a writer that died is replaced.
 * @throws AgentError `cannot-write`
 */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array,
  { mode = 0o600, owner }: { mode?: number; owner?: { uid: number; gid: number } } = {},
): Promise<void> {
  const temp = tempOf(path)
  try {
    await refuseIrregular(path)
    await unlinkIfThere(temp)
    // opened first: after the rename only its sync can fail
    const directory = await open(dirname(path), O_RDONLY | O_DIRECTORY)
    try {
      await writeNew(temp, data, mode, owner)
      await rename(temp, path)
      await directory.sync()
    } catch (error) {
      await unlinkIfThere(temp).catch(() => undefined)
      throw error
    } finally {
      await directory.close()
    }
  } catch (error) {
    throw fileError('cannot-write', 'write', path, error)
  }
}

/** Removes what a write that died may have left beside the file. */
export async function removeTemp(path: string): Promise<void> {
  const temp = tempOf(path)
  // on a read-only file system even a removal that finds nothing is refused
  if (await isThere(temp)) await removeFile(temp)
}

/** Hidden, and with an ending that nobody takes for a config, a unit or a program. */
function tempOf(path: string): string {
  return join(dirname(path), `.${basename(path)}.calico-agent.tmp`)
}

async function writeNew(
  path: string,
  data: string | Uint8Array,
  mode: number,
  owner: { uid: number; gid: number } | undefined,
): Promise<void> {
  const file = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
  try {
    // repeats short writes, as a full disk makes them
    await file.writeFile(data)
    if (owner) await file.chown(owner.uid, owner.gid)
    // after chown, which clears set-id bits; not through open(), which the umask cuts
    await file.chmod(mode)
    await file.sync()
  } finally {
    await file.close()
  }
}

/**
 * Opens a file for durable appends. Size 0 creates it, mode 0600, and fails if it exists; another size cuts an
 * existing file to so many bytes first.
 * @throws AgentError `cannot-write`, from `append` as well
 */
export async function openForAppend(path: string, size: number): Promise<AppendFile> {
  try {
    const create = size === 0 ? O_CREAT | O_EXCL : 0
    const file = await open(path, O_WRONLY | O_APPEND | O_NOFOLLOW | create, 0o600)
    try {
      await file.truncate(size)
      await file.sync()
      if (size === 0) await syncDirectory(dirname(path))
    } catch (error) {
      await file.close()
      throw error
    }
    return appendTo(file, path, size)
  } catch (error) {
    throw fileError('cannot-write', 'open', path, error)
  }
}

function appendTo(file: FileHandle, path: string, startSize: number): AppendFile {
  let size = startSize
  let broken: Error | undefined

  async function append(text: string): Promise<void> {
    if (broken) throw broken
    const bytes = Buffer.from(text)
    try {
      await file.appendFile(bytes)
    } catch (error) {
      // a part of a record must not stand before the next one
      await file.truncate(size).catch((reason: unknown) => (broken = reason as Error))
      throw error
    }
    try {
      await file.datasync()
    } catch (error) {
      // the kernel may have dropped the bytes, and call the next sync good
      broken = error as Error
      throw error
    }
    size += bytes.length
  }

  return {
    append: async (text) => {
      try {
        await append(text)
      } catch (error) {
        throw fileError('cannot-write', 'write', path, error)
      }
    },
    // all that was acknowledged is synced: an error has nothing to tell
    close: () => file.close().catch(() => undefined),
  }
}

/**
 * Gives a file a second name in the same directory, durably: its content, times, owner and attributes stay under it
 * when another file gets the first name. A file that has that name already is replaced.
 * @throws AgentError `cannot-write`
 */
export async function linkAs(path: string, name: string): Promise<void> {
  try {
    await refuseIrregular(path)
    await unlinkIfThere(name)
    await link(path, name)
    await syncDirectory(dirname(path))
  } catch (error) {
    throw fileError('cannot-write', 'keep the old content of', path, error)
  }
}

/**
 * Moves a kept file back under its first name, durably; false where there is none.
 * @throws AgentError `cannot-write`
 */
export async function bringBack(name: string, path: string): Promise<boolean> {
  try {
    if (!(await isThere(name))) return false
    await rename(name, path)
    // where both names are one file already, rename does nothing (rename(2))
    await unlinkIfThere(name)
    await syncDirectory(dirname(path))
    return true
  } catch (error) {
    throw fileError('cannot-write', 'bring back', path, error)
  }
}

/** Removes a file durably; one that is gone is no error. */
export async function removeFile(path: string): Promise<void> {
  try {
    await unlinkIfThere(path)
    await syncDirectory(dirname(path))
  } catch (error) {
    throw fileError('cannot-write', 'remove', path, error)
  }
}

/** Makes creations, renames and removals in the directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, O_RDONLY | O_DIRECTORY)
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

async function refuseIrregular(path: string): Promise<void> {
  try {
    const stats = await lstat(path)
    // rename would replace the link and leave the file behind it as it is
    if (stats.isSymbolicLink()) throw unfit('it is a symbolic link', 'replace the symbolic link with a file')
    // as root also /dev/null
    if (!stats.isFile() && !stats.isDirectory())
      throw unfit('it is not a regular file', 'name a regular file')
  } catch (error) {
    if (!isMissing(error)) throw error
  }
}

/** Removes a name; one that is gone is no error. */
export async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (!isMissing(error)) throw error
  }
}

/** A name is there, be it a link to nothing. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}
