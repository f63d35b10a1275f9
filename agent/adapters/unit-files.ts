import { lstat, mkdir, rmdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { UnitFile, UnitFiles } from '../ports/unit-files.ts'
import { removeFile, writeFileAtomic } from './atomic-file.ts'
import { readText } from './read-file.ts'

/** systemd's own limit of a line; no unit is larger. */
const MAX_UNIT_BYTES = 1024 * 1024

export function createUnitFiles(): UnitFiles {
  return { read, write, remove }
}

async function read(path: string): Promise<UnitFile | undefined> {
  const text = await readText(path, MAX_UNIT_BYTES)
  return text === undefined ? undefined : { text, isLink: (await lstat(path)).isSymbolicLink() }
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 })
  const old = await stat(path).catch(() => null)
  const kept =
    old === null ? { mode: 0o644 } : { mode: old.mode & 0o7777, owner: { uid: old.uid, gid: old.gid } }
  await writeFileAtomic(path, text, kept)
}

async function remove(path: string): Promise<void> {
  const directory = dirname(path)
  if ((await stat(directory).catch(() => null)) === null) return
  await removeFile(path)
  // of a drop-in; other files in it keep it
  if (directory.endsWith('.d')) await rmdir(directory).catch(() => undefined)
}
