import type {
  ContainerConfig,
  ContainerJson,
  CreateBody,
  ImageJson,
  MountPoint,
} from '../../agent/core/docker/json.ts'

const never = '0001-01-01T00:00:00Z'

/** What the Engine makes of a create body: the image's defaults stand wherever the body says nothing. */
export function createdContainer(
  id: string,
  name: string,
  body: CreateBody,
  image: ImageJson,
): ContainerJson {
  const { HostConfig, NetworkingConfig, ...config } = structuredClone(body)
  return {
    Id: id,
    Name: `/${name}`,
    Image: image.Id,
    State: { Status: 'created', Running: false, Pid: 0, ExitCode: 0, StartedAt: never, FinishedAt: never },
    Config: withDefaults(id, config, image.Config ?? {}, HostConfig.NetworkMode),
    HostConfig,
    Mounts: mountsOf(id, body, image),
    NetworkSettings: { Networks: NetworkingConfig?.EndpointsConfig ?? { [HostConfig.NetworkMode]: {} } },
  }
}

function withDefaults(
  id: string,
  config: ContainerConfig,
  defaults: Partial<ContainerConfig>,
  networkMode: string,
): ContainerConfig {
  const own = Object.fromEntries(Object.entries(config).filter(([, value]) => value != null && value !== ''))
  // an entrypoint of its own takes the image's command away
  const inherited = own['Entrypoint'] === undefined ? defaults : { ...defaults, Cmd: null }
  return {
    Hostname: networkMode === 'host' ? 'host-1' : id.slice(0, 12),
    ...inherited,
    ...own,
    Image: config.Image,
    Env: mergeEnv(config.Env ?? [], defaults.Env ?? []),
    Labels: { ...defaults.Labels, ...config.Labels },
  }
}

function mergeEnv(own: string[], defaults: string[]): string[] {
  const names = new Set(own.map((entry) => entry.split('=')[0]))
  return [...own, ...defaults.filter((entry) => !names.has(entry.split('=')[0]))]
}

function mountsOf(id: string, body: CreateBody, image: ImageJson): MountPoint[] {
  const binds = (body.HostConfig.Binds ?? []).map((bind): MountPoint => {
    const [Source = '', Destination = '', Mode = ''] = bind.split(':')
    const kind = Source.startsWith('/') ? { Type: 'bind' } : { Type: 'volume', Name: Source }
    return { ...kind, Source, Destination, Mode, RW: !Mode.split(',').includes('ro') }
  })
  const mounts = (body.HostConfig.Mounts ?? []).map(
    (mount): MountPoint => ({
      Type: mount.Type,
      ...(mount.Type === 'volume' ? { Name: mount.Source ?? `${id.slice(0, 8)}${mount.Target}` } : {}),
      Source: mount.Source ?? '',
      Destination: mount.Target,
      RW: mount.ReadOnly !== true,
    }),
  )
  const taken = new Set([...binds, ...mounts].map(({ Destination }) => Destination))
  const anonymous = Object.keys({ ...image.Config?.Volumes, ...body.Volumes })
    .filter((target) => !taken.has(target))
    .map((Destination): MountPoint => {
      const Name = Buffer.from(id + Destination)
        .toString('hex')
        .padEnd(64, '0')
        .slice(-64)
      return { Type: 'volume', Name, Source: `/var/lib/docker/volumes/${Name}/_data`, Destination, RW: true }
    })
  return [...binds, ...mounts, ...anonymous]
}

/** moby restartmanager: what Docker itself starts again, after an exit or after its own start. */
export function wouldRestart(container: ContainerJson, manuallyStopped: boolean): boolean {
  switch (container.HostConfig.RestartPolicy.Name) {
    case 'always':
      return true
    case 'unless-stopped':
      return !manuallyStopped
    case 'on-failure':
      return container.State.ExitCode !== 0
    default:
      return false
  }
}
