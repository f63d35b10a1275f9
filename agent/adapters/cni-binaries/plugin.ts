import { execFile } from 'node:child_process'
import { calicoVersion, printedVersion } from '../../core/cni/plugin.ts'
import { type CniAnswer, supportedCniVersions, versionQuestion } from '../../core/cni/version.ts'
import { cannotStart } from '../program-error.ts'

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
        ? `it answers CNI VERSION with ${firstLine(stdout) || 'nothing'}`
        : [failure, firstLine(stdout), firstLine(stderr)].filter(Boolean).join(': '),
  }
}

function run(path: string, argv: string[], environment: object, input: string): Promise<Answer> {
  const options = {
    // nothing of the agent's own: a plugin acts on CNI_COMMAND
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...environment },
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
    maxBuffer: MAX_OUTPUT_BYTES,
  } as const
  return new Promise((resolve, reject) => {
    const child = execFile(path, argv, options, (error, stdout, stderr) => {
      // that says nothing about the plugin
      if (error && ['EMFILE', 'ENFILE'].includes(String(error.code)))
        reject(cannotStart('no-descriptors', path, error))
      resolve({ stdout, stderr, failure: error && reasonOf(error) })
    })
    // it may end without reading
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
  })
}

function reasonOf(error: Error & { code?: unknown; killed?: boolean; signal?: string | null }): string {
  if (error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return 'it prints without end'
  if (error.killed === true) return `it did not end within ${TIMEOUT_MS / 1000} s`
  if (typeof error.code === 'string') return startFailures[error.code] ?? error.code
  return error.signal != null ? `it was ended by ${error.signal}` : `it exited with ${String(error.code)}`
}

const startFailures: Record<string, string> = {
  EACCES: 'the kernel does not run it (EACCES): its file system may be mounted noexec',
  ENOENT: 'the kernel does not run it (ENOENT): the loader that it names is not here',
  ENOEXEC: 'the kernel does not run it (ENOEXEC)',
}

function firstLine(text: string): string {
  return (text.trim().split('\n')[0] ?? '').slice(0, 200)
}
