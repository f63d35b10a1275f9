import { open, rm, writeFile } from 'node:fs/promises'
import { openForAppend, removeFile, writeFileAtomic } from '../../../agent/adapters/atomic-file.ts'
import type { AppendFile } from '../../../agent/journal/journal.ts'

/** What is on trial: the file library, or a control in its place. */
export interface FileLibrary {
  writeFileAtomic(path: string, data: string): Promise<void>
  openForAppend(path: string, size: number): Promise<AppendFile>
  removeFile(path: string): Promise<void>
}

// not from userInfo(), which needs a passwd file
const own = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }

const real: FileLibrary = {
  writeFileAtomic: (path, data) => writeFileAtomic(path, data, { mode: 0o644, owner: own }),
  openForAppend,
  removeFile,
}

/** The control for deaths and errors: everything is written in place, as most programs do. */
const naive: FileLibrary = {
  writeFileAtomic: (path, data) => writeFile(path, data),
  openForAppend: async (path) => {
    let text = ''
    await writeFile(path, text)
    return {
      append: async (more) => {
        text += more
        await writeFile(path, text)
      },
      close: () => Promise.resolve(),
    }
  },
  removeFile: (path) => rm(path),
}

/** The control for power cuts: the library as it is, on a Node whose syncs do nothing. */
async function withoutSync(): Promise<FileLibrary> {
  const file = await open('/dev/null')
  const handle = Object.getPrototypeOf(file) as Record<'sync' | 'datasync', () => Promise<void>>
  handle.sync = handle.datasync = () => Promise.resolve()
  await file.close()
  return real
}

export type LibraryName = 'real' | 'naive' | 'without-sync'

export async function libraryOf(name: LibraryName): Promise<FileLibrary> {
  if (name === 'without-sync') return await withoutSync()
  return name === 'naive' ? naive : real
}
