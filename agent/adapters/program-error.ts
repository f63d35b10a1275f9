import { AgentError } from '../core/errors.ts'
import { noDescriptors } from '../core/unexpected.ts'

interface Failure {
  code?: unknown
  message: string
}

const reasons: Record<string, { reason: string; fix: (program: string) => string }> = {
  ENOENT: { reason: 'it is not in PATH', fix: (program) => `install ${packages[program] ?? program}` },
  EACCES: { reason: 'the kernel cannot execute it', fix: (program) => `ls -l "$(command -v ${program})"` },
  EAGAIN: {
    reason: 'this host cannot start more processes',
    fix: () => 'check what is running: ps aux; systemctl status',
  },
  ENOMEM: {
    reason: 'this host is out of memory',
    fix: () => 'check what uses it: free -m; ps aux --sort -rss',
  },
}

/** Where Debian has them. */
const packages: Record<string, string> = { ip: 'iproute2', flock: 'util-linux', cp: 'coreutils' }

/** The program was not started, so it says nothing about the question. */
export function cannotStart(code: string, program: string, error: Failure): AgentError {
  const errno = String(error.code)
  if (errno === 'EMFILE' || errno === 'ENFILE')
    return noDescriptors(`cannot run ${program}: no free file descriptor (${errno})`, error)
  const { reason, fix } = reasons[errno] ?? { reason: error.message, fix: () => `run ${program} by hand` }
  return new AgentError(code, `cannot run ${program}: ${reason}`, { fix: fix(program), cause: error })
}
