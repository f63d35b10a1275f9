import { constants } from 'node:fs'
import { lstat, open } from 'node:fs/promises'
import { AgentError } from '../../core/errors.ts'
import { isMissing } from '../file-error.ts'
import { cannotStart } from '../program-error.ts'
import { runProgram } from '../run-program.ts'

/** Gives a file the extended attributes of another one. */
export type CopyXattrs = (from: string, to: string) => Promise<void>

const COPY_MS = 10_000

/** Node cannot read them: coreutils does, in 3 ms. File capabilities, ACLs and SELinux labels are among them. */
export const copyXattrs: CopyXattrs = async (from, to) => {
  const argv = ['--attributes-only', '--preserve=xattr', '--', from, to]
  const { exitCode, stderr } = await runProgram('cp', argv, COPY_MS).catch((error: unknown) => {
    throw cannotStart('cannot-keep-binary', 'cp', error as Error)
  })
  if (exitCode === 0) return
  const reason = stderr.trim().split('\n')[0] ?? ''
  throw new AgentError('cannot-keep-binary', `cannot keep the extended attributes of ${from}: ${reason}`, {
    fix: `getfattr -d -m - ${from} shows them; the service is not allowed to set file capabilities: run calico-agent upgrade by hand`,
  })
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
