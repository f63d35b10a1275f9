import { join } from 'node:path'
import { AgentError } from '../../core/errors.ts'
import { parsedJson } from '../../core/json/parsed.ts'
import { reasonOf } from '../file-error.ts'
import { readRegularFile } from '../read-file.ts'
import { credentialsFromHelper, type RegistryLogin } from './credential-helper.ts'

/** Some logins and helpers: Docker's own is below 10 kB. */
const MAX_BYTES = 4 * 1024 * 1024

/** The parts of Docker's config.json that hold logins (docker/cli, cli/config/configfile). */
interface DockerConfig {
  auths: Record<string, unknown>
  credHelpers: Record<string, unknown>
  credsStore?: string
}

/**
 * The operator's own login for a registry, found as `docker pull` finds it: the registry's helper, else the
 * store, else the file. `undefined` where there is none.
 * @param directory of Docker's config.json
 * @param registry key as in the file: `quay.io`, `https://index.docker.io/v1/`
 * @throws AgentError `docker-config-invalid`, `credential-helper-failed`
 */
export async function registryLogin(directory: string, registry: string): Promise<RegistryLogin | undefined> {
  const file = join(directory, 'config.json')
  const config = await readConfig(file)
  if (config === undefined) return undefined
  const helper = config.credHelpers[registry] ?? config.credsStore
  if (typeof helper === 'string' && helper !== '') return await credentialsFromHelper(helper, registry)
  const entry = config.auths[registry] ?? entryOfHost(config.auths, registry)
  return isRecord(entry) ? loginOf(file, registry, entry) : undefined
}

async function readConfig(file: string): Promise<DockerConfig | undefined> {
  let text: string | undefined
  try {
    text = (await readRegularFile(file, { maxBytes: MAX_BYTES }))?.toString()
  } catch (error) {
    const { cause, fix } = error as AgentError
    throw invalid(file, reasonOf(cause), fix)
  }
  if (text === undefined) return undefined
  const config = parsedJson(text)
  // the text holds credentials, so the parser's message, which quotes it, is not passed on
  if (!isRecord(config))
    throw invalid(file, 'it is not a JSON object', `correct it; python3 -m json.tool ${file} shows the error`)
  return {
    auths: isRecord(config['auths']) ? config['auths'] : {},
    credHelpers: isRecord(config['credHelpers']) ? config['credHelpers'] : {},
    ...(typeof config['credsStore'] === 'string' ? { credsStore: config['credsStore'] } : {}),
  }
}

/** Old logins were saved under a URL: https://quay.io/v1/ is quay.io's as well. */
function entryOfHost(auths: Record<string, unknown>, registry: string): unknown {
  const wanted = hostOf(registry)
  return Object.entries(auths).find(([key]) => hostOf(key) === wanted)?.[1]
}

function hostOf(key: string): string | undefined {
  return key.replace(/^https?:\/\//, '').split('/')[0]
}

const secretFields = ['username', 'password', 'identitytoken', 'registrytoken'] as const

function loginOf(file: string, registry: string, entry: Record<string, unknown>): RegistryLogin | undefined {
  const login: RegistryLogin = { serveraddress: registry }
  for (const field of secretFields) {
    const value = entry[field]
    if (typeof value === 'string' && value !== '') login[field] = value
  }
  if (typeof entry['auth'] === 'string' && entry['auth'] !== '') {
    Object.assign(login, decodeAuth(file, registry, entry['auth']))
  }
  // an entry without secrets is what `docker login` leaves behind when a store keeps them
  return secretFields.some((field) => login[field] !== undefined) ? login : undefined
}

function decodeAuth(
  file: string,
  registry: string,
  auth: string,
): Pick<RegistryLogin, 'username' | 'password'> {
  const text = Buffer.from(auth, 'base64').toString()
  const colon = text.indexOf(':')
  if (colon < 1) {
    throw invalid(
      file,
      `the auth of ${registry} is not user:password in base64`,
      `docker login ${hostOf(registry) ?? ''}`,
    )
  }
  const password = text.slice(colon + 1).replace(/\0+$/, '')
  return { username: text.slice(0, colon), ...(password === '' ? {} : { password }) }
}

function invalid(file: string, reason: string, fix: string): AgentError {
  return new AgentError('docker-config-invalid', `cannot read the registry logins in ${file}: ${reason}`, {
    fix,
  })
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
