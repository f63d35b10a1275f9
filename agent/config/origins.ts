import { redactedJson } from '../core/redact/json.ts'
import { ownEntry } from '../core/release/releases.ts'
import type { Origin, Setting } from '../core/report/config-show.ts'
import { type ConfigFlags, releaseOf } from './load.ts'
import { linesIn } from './parse.ts'
import { formatPath, valueAt } from './problems.ts'
import { type Config, knownKeys } from './schema.ts'
import { wantedOf } from './wanted.ts'

interface Told {
  /** The flags are in it, and the manifest. */
  config: Config
  flags: ConfigFlags
  file: string
  /** Undefined where the file is not there. */
  bytes: Uint8Array | undefined
}

type Path = readonly string[]

/** Each key that has a value, and who says so. */
export function settingsOf({ config, flags, file, bytes }: Told): Setting[] {
  const lineOf = bytes === undefined ? () => null : linesIn(bytes, file)
  const inFile = (path: Path): Origin | null => {
    const line = lineOf(path)
    return line === null ? null : { from: 'file', file, line }
  }
  const settings = keyPaths().flatMap((path) => {
    const value = valueAt(config, path)
    if (value === undefined) return filledIn(path, config, inFile)
    const origin = flagOf(path, flags) ?? inFile(path) ?? ({ from: 'default' } as const)
    return [{ key: formatPath(path), value, origin }]
  })
  return settings.map((setting) => ({ ...setting, value: redactedJson(setting.value) }))
}

function keyPaths(): Path[] {
  return knownKeys([]).flatMap((key) => {
    // the keys below it are names of the operator's
    const inner = key === 'releases' ? [] : knownKeys([key])
    return inner.length === 0 ? [[key]] : inner.map((name) => [key, name])
  })
}

function flagOf(path: Path, flags: ConfigFlags): Origin | null {
  const byKey: Record<string, [flag: string, value: unknown]> = {
    release: ['--to', flags.to],
    'node.image': ['--node', flags.node],
    'controllers.image': ['--controllers', flags.controllers],
    'cni.image': ['--cni', flags.cni],
    'cni.directory': ['--cni', flags.cni],
    'cni.archive': ['--cni', flags.cni],
    window: ['--window', flags.window],
    'docker.socket': ['--docker-socket', flags.dockerSocket],
  }
  const [flag, value] = byKey[formatPath(path)] ?? []
  return flag === undefined || value === undefined ? null : { from: 'flag', flag }
}

/** An image that the config does not name itself. */
function filledIn(path: Path, config: Config, inFile: (path: Path) => Origin | null): Setting[] {
  const key = formatPath(path)
  const image = imagesOf(config)[key]
  if (image === undefined || image === null) return []
  return [{ key, value: image, origin: whoFills(path, config, inFile) }]
}

function imagesOf(config: Config): Record<string, string | null> {
  const { node, cni, controllers } = wantedOf(config, [])
  const plugins = cni.source?.kind === 'image' ? cni.source.image : null
  return { 'node.image': node.image, 'cni.image': plugins, 'controllers.image': controllers.image }
}

function whoFills([component = '']: Path, config: Config, inFile: (path: Path) => Origin | null): Origin {
  if (config.manifest) return { from: 'manifest', file: config.manifest.path }
  const release = releaseOf(config)?.name ?? ''
  const own = ownEntry(release, config.releases)
  const said = own && component in own.entry ? inFile(['releases', own.name, component]) : null
  return said ?? { from: 'release', release }
}
