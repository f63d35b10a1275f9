import { lstat, mkdir, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { AgentError } from '../core/errors.ts'
import { MAX_JOURNAL_BYTES } from '../core/journal-size.ts'
import { type AppendFile, openForAppend, removeFile, syncDirectory, writeFileAtomic } from './atomic-file.ts'
import { reasonOf } from './file-error.ts'
import { readRegularFile } from './read-file.ts'

/** The durable files of one directory, by name: what the journal's store needs. */
export interface DirectoryFiles {
  directory: string
  list(): Promise<string[]>
  read(name: string): Promise<string>
  /** Size 0 creates the file and fails if it exists; else it is cut to so many bytes first. */
  open(name: string, size: number): Promise<AppendFile>
  remove(name: string): Promise<void>
  /** Of a file beside the directory; null if it is not there. */
  readPruned(): Promise<string | null>
  writePruned(text: string): Promise<void>
}

const MAX_PRUNED_BYTES = 1024 * 1024

/**
 * Creates the state directory where it is missing (0700), and checks that only its owner can change it: what the
 * journal says is done with root's power.
 * @throws AgentError `state-dir-unusable`
 */
export async function openStateDir(path: string): Promise<void> {
  await openTrusted(path)
  await openTrusted(join(path, 'runs'))
}

async function openTrusted(path: string): Promise<void> {
  try {
    const created = await makeDirectories(path)
    if (created !== undefined) await syncDirectory(dirname(created))
  } catch (error) {
    throw unusable(path, reasonOf(error), 'use another directory with --state-dir', error)
  }
  await checkTrusted(path)
  await checkWritable(path)
}

/** The first one that was created. Not mkdir()'s own `recursive`: under /proc, where nothing can be created, it never ends. */
async function makeDirectories(path: string): Promise<string | undefined> {
  const parent = dirname(path)
  const isThere = (await lstat(parent).catch(() => null)) !== null
  const above = isThere ? undefined : await makeDirectories(parent)
  try {
    await mkdir(path, 0o700)
    return above ?? path
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return above
    throw error
  }
}

async function checkTrusted(path: string): Promise<void> {
  const { uid, mode, ...stats } = await lstatOf(path)
  if (stats.isSymbolicLink)
    throw unusable(path, 'it is a symbolic link', 'use the directory that it points to')
  if (!stats.isDirectory) throw unusable(path, 'it is not a directory', 'use a directory with --state-dir')
  const own = process.getuid?.() ?? 0
  if (uid !== own) throw unusable(path, `it is owned by uid ${uid}, not by ${own}`, `chown ${own} ${path}`)
  if ((mode & 0o022) !== 0)
    throw unusable(path, 'it is writable by its group or others', `chmod 0700 ${path}`)
}

async function lstatOf(path: string) {
  const stats = await lstat(path)
  const { uid, mode } = stats
  return { uid, mode, isSymbolicLink: stats.isSymbolicLink(), isDirectory: stats.isDirectory() }
}

/** Root passes every permission check: only a write reveals a read-only or full file system. */
async function checkWritable(path: string): Promise<void> {
  const probe = join(path, '.probe')
  try {
    await writeFileAtomic(probe, 'probe\n')
    await removeFile(probe)
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
    throw unusable(path, reasonOf(error), error.fix, error)
  }
}

/** The journals' directory: `stateDir`/runs. It reads as empty until `openStateDir` has created it. */
export function runsDir(stateDir: string): DirectoryFiles {
  const path = join(stateDir, 'runs')
  const pruned = join(stateDir, 'pruned-runs.json')
  return {
    directory: path,
    list: () => visibleNames(path),
    read: async (name) => {
      const content = await readRegularFile(join(path, name), { maxBytes: MAX_JOURNAL_BYTES, noFollow: true })
      if (!content) throw unusable(path, `${name} no longer exists`, 'run one agent at a time')
      return content.toString('utf8')
    },
    open: (name, size) => openForAppend(join(path, name), size),
    remove: (name) => removeFile(join(path, name)),
    readPruned: async () => {
      const content = await readRegularFile(pruned, { maxBytes: MAX_PRUNED_BYTES, noFollow: true })
      return content?.toString('utf8') ?? null
    },
    writePruned: (text) => writeFileAtomic(pruned, text),
  }
}

async function visibleNames(path: string): Promise<string[]> {
  try {
    return (await readdir(path)).filter((name) => !name.startsWith('.'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw unusable(path, reasonOf(error), 'use another directory with --state-dir', error)
  }
}

function unusable(path: string, reason: string, fix: string, cause?: unknown): AgentError {
  return new AgentError('state-dir-unusable', `cannot use ${path} as the state directory: ${reason}`, {
    fix,
    ...(cause === undefined ? {} : { cause }),
  })
}
