import { access, constants, lstat, rmdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ensureDir, pathExists } from 'fs-extra/esm'
import type { UnitFile, UnitFiles } from '../../ports/unit-files.ts'
import { removeFile, writeFileAtomic } from '../atomic-file.ts'
import { openRegular, readText } from '../read-file.ts'
import { glob } from './glob.ts'

/** systemd's own limit of a line; no unit is larger. */
const MAX_UNIT_BYTES = 1024 * 1024

export function createUnitFiles(): UnitFiles {
  return { read, readScript, expand: glob, isWritable, write, remove }
}

async function read(path: string): Promise<UnitFile | undefined> {
  const text = await readText(path, MAX_UNIT_BYTES)
  return text === undefined ? undefined : { text, isLink: (await lstat(path)).isSymbolicLink() }
}

/** As much of a script as is looked at. */
const SCRIPT_BYTES = 256 * 1024

async function readScript(path: string): Promise<string | undefined> {
  try {
    const file = await openRegular(path)
    try {
      const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(512) })
      // a program
      if (buffer.subarray(0, bytesRead).includes(0)) return undefined
      const rest = await file.read({ buffer: Buffer.alloc(SCRIPT_BYTES), position: bytesRead })
      return Buffer.concat([
        buffer.subarray(0, bytesRead),
        rest.buffer.subarray(0, rest.bytesRead),
      ]).toString()
    } finally {
      await file.close()
    }
  } catch {
    return undefined
  }
}

/**
 * It is written by a rename: what counts is the directory, or its nearest existing parent. A rename cannot replace an
 * immutable file, or one that is a read-only mount.
 */
async function isWritable(path: string): Promise<boolean> {
  const directory = dirname(path)
  if (!(await pathExists(directory)) && directory !== path) return isWritable(directory)
  const isThere = (await lstat(path).catch(() => null))?.isFile() === true
  return (await mayWrite(directory)) && (!isThere || (await mayWrite(path)))
}

async function mayWrite(path: string): Promise<boolean> {
  return await access(path, constants.W_OK).then(
    () => true,
    () => false,
  )
}

async function write(path: string, text: string): Promise<void> {
  await ensureDir(dirname(path), 0o755)
  const old = await stat(path).catch(() => null)
  const kept =
    old === null ? { mode: 0o644 } : { mode: old.mode & 0o7777, owner: { uid: old.uid, gid: old.gid } }
  await writeFileAtomic(path, text, kept)
}

async function remove(path: string): Promise<void> {
  const directory = dirname(path)
  if (!(await pathExists(directory))) return
  await removeFile(path)
  // of a drop-in; other files in it keep it
  if (directory.endsWith('.d')) await rmdir(directory).catch(() => undefined)
}
