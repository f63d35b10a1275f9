import { AgentError, ExitCode } from '../core/errors.ts'
import type { WantedConfigMap } from '../core/kubernetes/config-map.ts'
import type { WantedManifest } from '../core/kubernetes/manifest.ts'
import {
  type CniSource,
  PARTS,
  type Part,
  type Wanted,
  type WantedCni,
  type WantedCniConfig,
  type WantedControllers,
} from '../core/wanted.ts'
import { releaseOf } from './load.ts'
import { minimalConfig } from './parse.ts'
import { ConfigError } from './problems.ts'
import type { Config } from './schema.ts'
import { shortHash } from './short-hash.ts'

/**
 * `node,cni` as a list; undefined where nothing is given.
 * @throws AgentError `unknown-part` (exit 2)
 */
export function partsOf(text: string | undefined): Part[] | undefined {
  return text?.split(',').map((name) => {
    const part = PARTS.find((known) => known === name.trim())
    if (part !== undefined) return part
    throw new AgentError('unknown-part', `cannot upgrade only "${name}": no such part`, {
      fix: `parts: ${PARTS.join(', ')}`,
      exitCode: ExitCode.usage,
    })
  })
}

/** The config in the units of the stories; `only` leaves the other parts alone. */
export function wantedOf(config: Config, allow: string[], only: Part[] = [...PARTS]): Wanted {
  const { node, bird, window, settle, retention } = config
  const release = releaseOf(config)
  const named = config.manifest ? imagesIn(config.manifest) : release?.images
  return {
    node: { ...node, image: only.includes('node') ? (node.image ?? named?.node ?? null) : null },
    cni: wantedCni(config, only.includes('cni'), named?.cni ?? null),
    cniConfig: only.includes('cni-config') ? wantedCniConfig(config) : null,
    controllers: wantedControllers(config, only.includes('controllers'), named?.controllers ?? null),
    places: placesOf(config),
    kubelet: { unit: config.kubelet.unit, manifests: config.kubelet.manifests ?? null },
    kubernetes: config.kubernetes ? { cordon: config.kubernetes.cordon } : null,
    configMap: only.includes('config-map') ? wantedConfigMap(config) : null,
    manifest: config.manifest ?? null,
    birdSockets: bird.sockets,
    windowMs: window * 1000,
    settleMs: settle * 1000,
    keepImages: retention.images,
    release,
    allow,
  }
}

function wantedCni({ cni }: Config, asked: boolean, named: string | null): WantedCni {
  const { binaries, sha256, binDir, configDir } = cni
  const own = cniSource(cni)
  const byName: CniSource | null = named === null ? null : { kind: 'image', image: named }
  const source = asked ? (own ?? byName) : null
  return { source, onlyIfInstalled: own === null, binaries, sha256, binDir, configDir }
}

function wantedControllers(
  { controllers: { image: own, ...where } }: Config,
  asked: boolean,
  named: string | null,
): WantedControllers {
  const image = asked ? (own ?? named) : null
  return { image, onlyIfInstalled: own === undefined, ...where }
}

function cniSource({ image, directory, archive }: Config['cni']): CniSource | null {
  if (image !== undefined) return { kind: 'image', image }
  if (directory !== undefined) return { kind: 'directory', path: directory }
  return archive === undefined ? null : { kind: 'archive', path: archive }
}

function wantedCniConfig({ cni, kubelet }: Config): WantedCniConfig | null {
  if (cni.merge === undefined) return null
  const { configDir, configFile = null, merge, binDir } = cni
  const { unit, restart } = kubelet
  return { configDir, configFile, merge, binDir, kubelet: { unit, restart } }
}

/** The images of a whole manifest, which asks for all of them. */
function imagesIn({ daemonSet, cniImage, deployment }: WantedManifest) {
  return { node: daemonSet.image, cni: cniImage, controllers: deployment?.image ?? null }
}

function wantedConfigMap({ hosted, manifest }: Config): WantedConfigMap | null {
  const keys =
    hosted?.configMap ?? (manifest?.configMap?.['data'] as Record<string, string> | undefined) ?? null
  if (keys === null) return null
  const sorted = Object.entries(keys).sort(([one], [other]) => (one < other ? -1 : 1))
  return { keys, mark: shortHash(sorted) }
}

function placesOf({ cni }: Config): Wanted['places'] {
  return { binDir: cni.binDir, configDir: cni.configDir, configFile: cni.configFile ?? null }
}

/** What was not found. */
const MISSING: Record<Part, string> = {
  node: 'no --to or --node was given, and FILE sets neither release nor node.image',
  cni: 'no --cni was given, and FILE sets no source under cni',
  'cni-config': 'FILE does not set cni.merge',
  'config-map': 'FILE does not set hosted.configMap',
  controllers: 'no --to or --controllers was given, and FILE sets neither release nor controllers.image',
}

/**
 * Something must be asked for, and all that `--only` names.
 * @throws ConfigError that shows the smallest config
 */
export function checkTarget(
  { manifest, node, cni, cniConfig, configMap, controllers }: Wanted,
  file: string,
  only: Part[] | undefined,
): void {
  const asked: Record<Part, boolean> = {
    node: node.image !== null,
    cni: cni.source !== null,
    'cni-config': cniConfig !== null,
    'config-map': configMap !== null,
    controllers: controllers.image !== null,
  }
  if (manifest && only) {
    throw new ConfigError(
      [`cannot upgrade only ${only.join(', ')}: hosted.manifest is applied as a whole`],
      'remove --only, or name the images in the config instead of the manifest',
    )
  }
  const missing = only?.filter((part) => !asked[part]) ?? []
  if (missing.length > 0) {
    throw new ConfigError(
      missing.map((part) => `cannot upgrade ${part}: ${MISSING[part].replace('FILE', file)}`),
      `add it to ${file}, or remove --only`,
    )
  }
  if (Object.values(asked).includes(true)) return
  throw new ConfigError(
    [`cannot upgrade this host: ${MISSING.node.replace('FILE', file)}`],
    `use --to RELEASE or --node IMAGE, or write to ${file}:\n${minimalConfig}`,
  )
}
