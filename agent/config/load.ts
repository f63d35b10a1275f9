import { resolve } from 'node:path'
import { AgentError } from '../core/errors.ts'
import { type Release, releaseImages } from '../core/release/releases.ts'
import { parseConfig } from './parse.ts'
import { ConfigError, findingsOf } from './problems.ts'
import { type Config, configSchema } from './schema.ts'

/** A config is below 2 kB. The parser takes 1 s and 140 MB for the worst 32 kB, 10 s and 700 MB for 1 MB. */
export const MAX_CONFIG_BYTES = 32 * 1024

/** calico.yaml of 3.26 has 250 kB. */
export const MAX_MANIFEST_BYTES = 2 * 1024 * 1024

/** Content of a regular file of so many bytes at most, undefined where there is none; throws AgentError. */
export type ReadConfigFile = (path: string) => Promise<Uint8Array | undefined>

/** The values of the command line, which override the file. `window` in seconds. */
export interface ConfigFlags {
  node?: string | undefined
  /** Image reference, or the path of a directory or an archive. */
  cni?: string | undefined
  controllers?: string | undefined
  to?: string | undefined
  window?: number | undefined
  dockerSocket?: string | undefined
}

/**
 * The config in `path`. A file that is missing is an error only when the operator named it (`explicit`): the
 * flags may be enough.
 * @throws ConfigError
 */
export async function loadConfig(path: string, explicit: boolean, read: ReadConfigFile): Promise<Config> {
  const bytes = await readOrRefuse(path, read)
  if (bytes !== undefined) return parseConfig(bytes, path)
  if (!explicit) return configSchema.parse({})
  throw new ConfigError(
    [`cannot read the config ${path}: no such file`],
    'set the path of agent.yaml with --config',
  )
}

async function readOrRefuse(path: string, read: ReadConfigFile): Promise<Uint8Array | undefined> {
  try {
    return await read(path)
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
    throw new ConfigError([error.message], error.fix)
  }
}

/**
 * The config with the flags put over it: `--to` overrides the file's `node.image`, and `--node` overrides both.
 * @throws ConfigError with all flags that are wrong, each "--flag: what"
 */
export function mergeFlags(config: Config, flags: ConfigFlags): Config {
  const merged = {
    ...config,
    release: flags.to ?? config.release,
    node: { ...config.node, image: flags.node ?? (flags.to === undefined ? config.node.image : undefined) },
    controllers: {
      ...config.controllers,
      image: flags.controllers ?? (flags.to === undefined ? config.controllers.image : undefined),
    },
    cni: flags.cni === undefined ? config.cni : { ...config.cni, ...noSource, ...sourceOf(flags.cni) },
    window: flags.window ?? config.window,
    docker: { socket: flags.dockerSocket ?? config.docker.socket },
  }
  const result = configSchema.safeParse(merged)
  if (result.success) return result.data
  const findings = result.error.issues.flatMap((issue) => findingsOf(issue, merged))
  throw new ConfigError(
    findings.map(({ path, message }) => `${flagNames[String(path[0])] ?? String(path[0])}: ${message}`),
    'calico-agent --help lists the flags',
  )
}

/**
 * The config with what its `hosted.manifest` says.
 * @throws ConfigError
 */
export async function withManifest(config: Config, read: ReadConfigFile): Promise<Config> {
  const path = config.hosted?.manifest
  if (path === undefined) return config
  // the YAML of hosts without a manifest need not load it
  const { readManifest } = await import('./manifest.ts')
  return { ...config, manifest: await readManifest(path, read) }
}

/** Only these can be wrong here: the file's own values were checked before. */
const flagNames: Record<string, string> = {
  node: '--node',
  release: '--to',
  cni: '--cni',
  controllers: '--controllers',
  window: '--window',
  docker: '--docker-socket',
}

/** The requested release; null if none is. */
export function releaseOf(config: Config): Release | null {
  const images = config.release === undefined ? null : releaseImages(config.release, config)
  return config.release === undefined || images === null ? null : { name: config.release, images }
}

const noSource = { image: undefined, directory: undefined, archive: undefined }

/** A path is a directory unless it ends like an archive; anything else is an image. */
function sourceOf(text: string): Partial<Record<keyof typeof noSource, string>> {
  if (!/^\.{0,2}\//.test(text)) return { image: text }
  const path = resolve(text)
  return /\.(tar|tar\.gz|tgz)$/.test(path) ? { archive: path } : { directory: path }
}
