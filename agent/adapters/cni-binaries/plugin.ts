import { calicoVersion, printedVersion } from '../../core/cni/plugin.ts'
import { type CniAnswer, supportedCniVersions, versionQuestion } from '../../core/cni/version.ts'
import { cannotStart } from '../program-error.ts'
import { type ProgramEnd, runBounded, whyCut } from '../run-program.ts'

/** A plugin answers both questions within 50 ms. */
const TIMEOUT_MS = 5_000
const MAX_OUTPUT_BYTES = 64 * 1024

interface Answer {
  stdout: string
  stderr: string
  /** Why it did not end well; null where it did. */
  failure: string | null
}

/** The version that it prints; null where it does not run or prints none. */
export async function versionOf(path: string): Promise<string | null> {
  const { stdout, stderr, failure } = await run(path, ['-v'], {}, '')
  return failure === null ? (printedVersion(stdout) ?? printedVersion(stderr)) : null
}

/** The same, where Calico's own plugin prints it. */
export async function calicoVersionOf(path: string): Promise<string | null> {
  const { stdout, failure } = await run(path, ['-v'], {}, '')
  return failure === null ? calicoVersion(stdout) : null
}

/** The versions of the CNI specification that it knows, or why it cannot say. */
export async function cniVersionsOf(path: string): Promise<CniAnswer> {
  const { stdout, stderr, failure } = await run(path, [], versionQuestion.env, versionQuestion.stdin)
  const known = supportedCniVersions(stdout, failure === null)
  if (known !== null) return { known }
  return {
    failure:
      failure === null
        ? `its answer to CNI VERSION is ${firstLine(stdout) || 'empty'}`
        : [failure, firstLine(stdout), firstLine(stderr)].filter(Boolean).join(': '),
  }
}

async function run(path: string, argv: string[], environment: object, input: string): Promise<Answer> {
  // nothing of the agent's own: a plugin acts on CNI_COMMAND
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...environment }
  const limits = { timeoutMs: TIMEOUT_MS, maxBytes: MAX_OUTPUT_BYTES, env, input }
  try {
    const ended = await runBounded(path, argv, limits)
    return { stdout: ended.stdout, stderr: ended.stderr, failure: failureOf(ended) }
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    // that says nothing about the plugin
    if (['EMFILE', 'ENFILE'].includes(code)) throw cannotStart('no-descriptors', path, { code, message })
    return { stdout: '', stderr: '', failure: startFailures[code] ?? code }
  }
}

function failureOf({ cut, exitCode, signal }: ProgramEnd): string | null {
  if (cut !== null) return whyCut(cut, TIMEOUT_MS)
  if (signal !== null) return `it was killed by ${signal}`
  return exitCode === 0 ? null : `it exited with code ${String(exitCode)}`
}

const startFailures: Record<string, string> = {
  EACCES: 'the kernel cannot execute it (EACCES): its file system may be mounted noexec',
  ENOENT: 'the kernel cannot execute it (ENOENT): its loader is missing on this host',
  ENOEXEC: 'the kernel cannot execute it (ENOEXEC)',
}

function firstLine(text: string): string {
  return (text.trim().split('\n')[0] ?? '').slice(0, 200)
}
