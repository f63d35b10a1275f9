import { AgentError } from '../core/errors.ts'
import { messageOf } from '../core/message-of.ts'
import { openBy } from '../core/open-by.ts'

/** The error says that there is no such file. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === 'ENOENT'
}

const fixes: Record<string, string | ((path: string) => string)> = {
  ENOSPC: 'free space on its file system (df -h)',
  EDQUOT: 'free space on its file system (df -h)',
  EROFS: (path) =>
    `make ${path} writable: mount its file system read-write, add ReadWritePaths= to the agent's service, or use -v without :ro if the agent is an image`,
  EACCES: 'run the agent as root',
  EPERM: 'run the agent as root, and check the attributes of the file with lsattr',
  ELOOP: 'replace the symbolic link with a file',
  ETXTBSY: (path) => `stop the process that writes to it; ${openBy(path)} shows it`,
}

/** A failure of the file system as one of the agent's; `action` completes "cannot ...". */
export function fileError(code: string, action: string, path: string, error: unknown): AgentError {
  if (error instanceof AgentError) return error
  const { code: errno = '', fix: own } = error as NodeJS.ErrnoException & { fix?: string }
  const known = fixes[errno]
  const fix =
    own ??
    (typeof known === 'function' ? known(path) : known) ??
    `check ls -l ${path}, and the kernel log with dmesg`
  return new AgentError(code, `cannot ${action} ${path}: ${reasonOf(error)}`, { fix, cause: error })
}

/** What is there is of the wrong kind, which is not an error of the kernel. */
export function unfit(reason: string, fix: string): Error {
  return Object.assign(new Error(reason), { fix })
}

/** "ENOSPC: no space left on device, write" -> "no space left on device" */
export function reasonOf(error: unknown): string {
  const message = messageOf(error)
  return /^[A-Z0-9]+: (.*?)(?:, \w+.*)?$/s.exec(message)?.[1] ?? message
}
