import { AgentError } from '../../core/errors.ts'
import { cannotStart } from '../program-error.ts'
import { type ProgramEnd, runBounded } from '../run-program.ts'

/** What the Engine passes on to the registry (X-Registry-Auth). Never shown, never logged. */
export interface RegistryLogin {
  serveraddress: string
  username?: string
  password?: string
  identitytoken?: string
  registrytoken?: string
}

const limits = { timeoutMs: 15_000, maxBytes: 1024 * 1024 }

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

async function run(program: string, input: string): Promise<{ error?: string; output: string }> {
  try {
    const ended = await runBounded(program, ['get'], { ...limits, input })
    const error = failureOf(ended)
    return { output: ended.stdout, ...(error !== null && { error }) }
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (['EMFILE', 'ENFILE'].includes(code))
      throw cannotStart('credential-helper-failed', program, error as Error)
    return { error: startFailures[code] ?? 'it failed', output: '' }
  }
}

const startFailures: Record<string, string> = {
  ENOENT: 'it is not in PATH',
  EACCES: 'it cannot be executed',
}

function failureOf({ cut, exitCode }: ProgramEnd): string | null {
  if (cut === 'time') return `it did not answer within ${limits.timeoutMs / 1000} s`
  if (cut === 'output') return 'it prints too much output'
  if (exitCode === 0) return null
  return exitCode === null ? 'it failed' : `it failed with exit code ${exitCode}`
}

function parseReply(program: string, registry: string, output: string): { Username: string; Secret: string } {
  try {
    const { Username, Secret } = JSON.parse(output) as { Username?: unknown; Secret?: unknown }
    if (typeof Username === 'string' && typeof Secret === 'string') return { Username, Secret }
  } catch {
    // told below, without the text
  }
  throw failed(program, registry, 'its output is not the JSON that Docker expects')
}

function failed(program: string, registry: string, reason: string): AgentError {
  return new AgentError(
    'credential-helper-failed',
    `cannot get the login for ${registry} from ${program}: ${reason}`,
    { fix: `try it by hand: echo ${registry} | ${program} get` },
  )
}
