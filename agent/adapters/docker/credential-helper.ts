import { execFile } from 'node:child_process'
import { AgentError } from '../../core/errors.ts'
import { cannotStart } from '../program-error.ts'

/** What the Engine passes on to the registry (X-Registry-Auth). Never shown, never logged. */
export interface RegistryLogin {
  serveraddress: string
  username?: string
  password?: string
  identitytoken?: string
  registrytoken?: string
}

const timeoutMs = 15_000

/**
 * Asks `docker-credential-NAME get`: the registry on its input, JSON on its output
 * (docker/docker-credential-helpers). `undefined` where the helper knows no login.
 * @throws AgentError `credential-helper-failed`; what the helper said is left out, it may hold secrets
 */
export async function credentialsFromHelper(
  name: string,
  registry: string,
): Promise<RegistryLogin | undefined> {
  const program = `docker-credential-${name}`
  if (!/^[\w.-]+$/.test(name)) throw failed(program, registry, 'this is not the name of a program')
  const { error, output } = await run(program, registry)
  if (error !== undefined) {
    if (output.includes('credentials not found')) return undefined
    throw failed(program, registry, error)
  }
  const { Username, Secret } = parseReply(program, registry, output)
  if (Secret === '') return undefined
  // the helpers' way to say that the secret is a token
  if (Username === '<token>') return { serveraddress: registry, identitytoken: Secret }
  return { serveraddress: registry, username: Username, password: Secret }
}

/** Not by a shell, and with an ear for a helper that ends without reading: its closed pipe is no crash of ours. */
function run(program: string, input: string): Promise<{ error?: string; output: string }> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      ['get'],
      { timeout: timeoutMs, killSignal: 'SIGKILL' },
      (error, output) => {
        if (error && ['EMFILE', 'ENFILE'].includes(String(error.code)))
          reject(cannotStart('credential-helper-failed', program, error))
        else resolve(error === null ? { output } : { error: reasonOf(error), output })
      },
    )
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
  })
}

function reasonOf(error: { code?: unknown; killed?: boolean; signal?: unknown }): string {
  if (error.killed === true) return `it did not answer within ${timeoutMs / 1000} s`
  if (error.code === 'ENOENT') return 'it is not on the PATH'
  if (error.code === 'EACCES') return 'it cannot be run'
  return typeof error.code === 'number' ? `it failed with exit code ${error.code}` : 'it failed'
}

function parseReply(program: string, registry: string, output: string): { Username: string; Secret: string } {
  try {
    const { Username, Secret } = JSON.parse(output) as { Username?: unknown; Secret?: unknown }
    if (typeof Username === 'string' && typeof Secret === 'string') return { Username, Secret }
  } catch {
    // told below, without the text
  }
  throw failed(program, registry, 'its answer is not the JSON that Docker expects')
}

function failed(program: string, registry: string, reason: string): AgentError {
  return new AgentError(
    'credential-helper-failed',
    `cannot get the login for ${registry} from ${program}: ${reason}`,
    { fix: `try it by hand: echo ${registry} | ${program} get` },
  )
}
