import { withoutEngineDefaults } from './engine-defaults.ts'
import type {
  ContainerConfig,
  ContainerJson,
  CreateBody,
  Endpoint,
  HostConfig,
  ImageJson,
  MountPoint,
} from './json.ts'

/** Label that names the run which created a container: the way to find it again, whatever its name is by then. */
export const RUN_LABEL = 'calico-agent.run'

/** Label of an old container that was made again on a way back: the id of the one whose place it took. */
export const RESTORED_LABEL = 'calico-agent.restored'

/** Everything that is needed to create a container again. */
export interface ContainerSpec {
  body: CreateBody
  /** Networks beyond the first: Engines below API 1.44 take one at creation, the rest by `connect`. */
  furtherNetworks: { network: string; endpoint: Endpoint }[]
}

/**
 * The create request that makes `container` again, with only what its operator asked for: what it merely
 * inherited from its image is left out, so that another image's own defaults apply; so is what the Engine put in.
 * `image` is null when the old image was pruned; then nothing can be told apart and everything is kept.
 */
export function containerSpec(
  container: ContainerJson,
  image: ImageJson | null,
  engineHostname: string,
): ContainerSpec {
  const { first, rest } = ownNetworks(container)
  const body: CreateBody = {
    ...operatorConfig(container, image?.Config ?? {}, engineHostname),
    HostConfig: withoutEngineDefaults(withMountsOnce(container)),
    ...(first && { NetworkingConfig: { EndpointsConfig: { [first.network]: first.endpoint } } }),
  }
  return { body, furtherNetworks: rest }
}

/** The same container on another image, on trial: Docker must not restart it before it is committed. */
export function trialSpec(old: ContainerSpec, image: string, run: string): ContainerSpec {
  const { HostConfig: host, Labels, ...config } = old.body
  return {
    ...old,
    body: {
      ...config,
      Image: image,
      Labels: { ...Labels, [RUN_LABEL]: run },
      HostConfig: { ...host, RestartPolicy: { Name: 'no', MaximumRetryCount: 0 } },
    },
  }
}

/** Fields that a container inherits as a whole when its operator does not set them. */
const WHOLE_FIELDS = ['Healthcheck', 'User', 'WorkingDir', 'StopSignal', 'Shell', 'OnBuild', 'StopTimeout']

function operatorConfig(
  container: ContainerJson,
  inherited: Partial<ContainerConfig>,
  engineHostname: string,
): ContainerConfig {
  const isOwn = (field: string, value: unknown) =>
    !WHOLE_FIELDS.includes(field) || !same(value, inherited[field])
  const own = Object.entries(structuredClone(container.Config)).filter(([field, value]) =>
    isOwn(field, value),
  )
  const config = Object.fromEntries(own) as ContainerConfig
  config.Labels = withoutEntries(config.Labels, inherited.Labels)
  config.ExposedPorts = withoutEntries(config.ExposedPorts, inherited.ExposedPorts)
  // A carried volume is bound by its name instead.
  const carried = Object.fromEntries(anonymousVolumes(container).map((mount) => [mount.Destination, {}]))
  config.Volumes = withoutEntries(config.Volumes, { ...inherited.Volumes, ...carried })
  config.Env = (config.Env ?? []).filter((entry) => !inherited.Env?.includes(entry))
  // Docker drops the image's Cmd when an Entrypoint is given: a Cmd is inherited only together with it.
  if (same(config.Entrypoint, inherited.Entrypoint)) {
    delete config.Entrypoint
    if (same(config.Cmd, inherited.Cmd)) delete config.Cmd
  } else if (normal(config.Entrypoint) === null) {
    // `--entrypoint=` is shown as none; asked for as none, the image's would apply.
    config.Entrypoint = ['']
  }
  if (hostnameIsDerived(container, engineHostname)) delete config.Hostname
  return config
}

function hostnameIsDerived(container: ContainerJson, engineHostname: string): boolean {
  const { Hostname } = container.Config
  const { UTSMode, NetworkMode } = container.HostConfig
  // Docker refuses a host name where another container's applies.
  if (UTSMode === 'host' || Hostname === '' || NetworkMode.startsWith('container:')) return true
  if (NetworkMode === 'host' && Hostname === engineHostname) return true
  return Hostname === container.Id.slice(0, 12)
}

/** Volumes with no name of the operator's: carried over by the name that Docker gave them, data and all. */
function anonymousVolumes(container: ContainerJson): MountPoint[] {
  const { Binds, Mounts } = container.HostConfig
  const claimed = new Set([
    ...(Binds ?? []).map(bindTarget),
    ...(Mounts ?? [])
      .filter((mount) => mount.Source !== undefined || mount.Type !== 'volume')
      .map((m) => cleanPath(m.Target)),
  ])
  return container.Mounts.filter((mount) => mount.Type === 'volume' && !claimed.has(mount.Destination))
}

/** Every target named once: Docker refuses "Duplicate mount point". */
function withMountsOnce(container: ContainerJson): HostConfig {
  const host: HostConfig = structuredClone(container.HostConfig)
  const carried = anonymousVolumes(container)
  const bound = new Set([...(host.Binds ?? []).map(bindTarget), ...carried.map((mount) => mount.Destination)])
  const binds = carried.map((mount) => `${mount.Name ?? ''}:${mount.Destination}${mount.RW ? '' : ':ro'}`)
  if (binds.length > 0) host.Binds = [...(host.Binds ?? []), ...binds]
  if (host.Mounts) host.Mounts = host.Mounts.filter((mount) => !bound.has(cleanPath(mount.Target)))
  // Inspect shows `/other:/this/alias`; create wants `other:alias`.
  if (host.Links) host.Links = host.Links.map(linkRequest)
  return host
}

function bindTarget(bind: string): string {
  return cleanPath(bind.split(':')[1] ?? bind)
}

/** As Docker compares mount points. */
function cleanPath(path: string): string {
  return path.replace(/\/+/g, '/').replace(/(.)\/$/, '$1')
}

function linkRequest(link: string): string {
  const [other = '', alias = ''] = link.split(':')
  return `${other.replace(/^\//, '')}:${alias.split('/').at(-1) ?? ''}`
}

const BUILT_IN_NETWORKS: Record<string, string> = {
  host: 'host',
  none: 'none',
  bridge: 'bridge',
  default: 'bridge',
  '': 'bridge',
}

interface NetworkRequest {
  network: string
  endpoint: Endpoint
}

/** `first` is for the creation; a built-in network needs no request. */
function ownNetworks(container: ContainerJson): { first?: NetworkRequest; rest: NetworkRequest[] } {
  const mode = container.HostConfig.NetworkMode
  if (mode.startsWith('container:')) return { rest: [] }
  const builtIn = BUILT_IN_NETWORKS[mode]
  const networks = Object.entries(container.NetworkSettings.Networks)
    .filter(([network]) => network !== builtIn)
    .sort(([a], [b]) => Number(b === mode) - Number(a === mode))
    .map(([network, live]) => ({ network, endpoint: endpointRequest(live, container.Id) }))
  // Docker 25 refuses endpoint settings on a built-in network (watchtower#1906).
  if (builtIn !== undefined) return { rest: networks }
  const [first, ...rest] = networks
  return { ...(first && { first }), rest }
}

/** What Docker gave an endpoint, and shows among what was asked for. */
const LIVE_ENDPOINT_FIELDS = [
  ...['NetworkID', 'EndpointID', 'MacAddress', 'DNSNames', 'Gateway', 'IPAddress', 'IPPrefixLen'],
  ...['IPv6Gateway', 'GlobalIPv6Address', 'GlobalIPv6PrefixLen'],
]

/** What was asked for, not the live address that Docker gave. */
function endpointRequest({ Aliases, ...live }: Endpoint, id: string): Endpoint {
  const aliases = Aliases?.filter((alias) => alias !== id.slice(0, 12))
  const asked = Object.entries(live).filter(
    ([field, value]) => value !== null && !LIVE_ENDPOINT_FIELDS.includes(field),
  )
  return { ...Object.fromEntries(asked), ...(aliases?.length && { Aliases: aliases }) }
}

function withoutEntries<V>(
  own: Record<string, V> | null | undefined,
  inherited: Record<string, unknown> | null | undefined,
): Record<string, V> {
  return Object.fromEntries(
    Object.entries(own ?? {}).filter(
      ([key, value]) => !(inherited && key in inherited && same(value, inherited[key])),
    ),
  )
}

/** Equal as JSON, an empty list and null being the same absence. */
function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(normal(a)) === JSON.stringify(normal(b))
}

function normal(value: unknown): unknown {
  const empty = value == null || value === '' || (Array.isArray(value) && value.length === 0)
  return empty ? null : value
}
