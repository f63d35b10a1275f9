import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { lstat, open } from 'node:fs/promises'
import { promisify } from 'node:util'
import { AgentError } from '../../core/errors.ts'
import { isMissing } from '../file-error.ts'
import { cannotStart, isNotStarted } from '../program-error.ts'

/** Gives a file the extended attributes of another one. */
export type CopyXattrs = (from: string, to: string) => Promise<void>

/** Node cannot read them: coreutils does, in 3 ms. File capabilities, ACLs and SELinux labels are among them. */
export const copyXattrs: CopyXattrs = async (from, to) => {
  const argv = ['--attributes-only', '--preserve=xattr', '--', from, to]
  try {
    await promisify(execFile)('cp', argv, { timeout: 10_000 })
  } catch (error) {
    if (isNotStarted(error)) throw cannotStart('cannot-keep-binary', 'cp', error)
    const { stderr = '', message } = error as { stderr?: string; message: string }
    const reason = (stderr.trim() || message).split('\n')[0] ?? ''
    throw new AgentError('cannot-keep-binary', `cannot keep the extended attributes of ${from}: ${reason}`, {
      fix: `see them with getfattr -d -m - ${from}; the service has no right to set file capabilities: run agent upgrade by hand`,
      cause: error,
    })
  }
}

/** A staged file gets what the live one has, or what plugins have where there is none; on disk when it resolves. */
export async function takeAttributes(live: string, staged: string, copy: CopyXattrs): Promise<void> {
  const file = await open(staged, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    const old = await statsOf(live)
    await file.chown(old?.uid ?? process.getuid?.() ?? 0, old?.gid ?? process.getgid?.() ?? 0)
    // after chown, which clears file capabilities and set-id bits
    if (old) await copy(live, staged)
    await file.chmod(old ? old.mode & 0o7777 : 0o755)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function statsOf(path: string) {
  try {
    return await lstat(path)
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}
