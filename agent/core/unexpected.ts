import { AgentError, ExitCode } from './errors.ts'

const NO_DESCRIPTORS: Record<string, string> = {
  EMFILE: 'this process has no free file descriptor',
  ENFILE: 'this host has no free file descriptor',
}

/** An unexpected failure, by name: a host without file descriptors, otherwise a bug. */
export function unexpected(error: unknown): AgentError {
  if (error instanceof AgentError) return error
  const reason = NO_DESCRIPTORS[codeOf(error)]
  if (reason !== undefined) return noDescriptors(`cannot continue: ${reason}`, error)
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return new AgentError('internal', `internal error: ${message}`, {
    fix: 'report this as a bug',
    exitCode: ExitCode.bug,
    cause: error,
  })
}

/** `message` says what cannot be done. */
export function noDescriptors(message: string, cause: unknown): AgentError {
  return new AgentError('no-descriptors', message, {
    fix: 'raise the limit (ulimit -n, LimitNOFILE= in a unit, or sysctl fs.file-max), and run the command again',
    cause,
  })
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
