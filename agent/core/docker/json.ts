/**
 * The parts of the Docker Engine API's JSON that the agent reads. Everything else in these documents is
 * carried as it came: an allowlist of known fields would lose the ones that a newer Engine adds.
 */

export interface RestartPolicy {
  Name: string
  MaximumRetryCount?: number
}

export interface ContainerConfig {
  Image: string
  Hostname?: string
  Env?: string[] | null
  Cmd?: string[] | null
  Entrypoint?: string[] | null
  Labels?: Record<string, string> | null
  Volumes?: Record<string, unknown> | null
  ExposedPorts?: Record<string, unknown> | null
  Healthcheck?: unknown
  User?: string
  WorkingDir?: string
  StopSignal?: string
  [field: string]: unknown
}

export interface MountSpec {
  Type: string
  Source?: string
  Target: string
  ReadOnly?: boolean
  [field: string]: unknown
}

export interface HostConfig {
  NetworkMode: string
  RestartPolicy: RestartPolicy
  AutoRemove?: boolean
  Binds?: string[] | null
  Mounts?: MountSpec[] | null
  Links?: string[] | null
  UTSMode?: string
  [field: string]: unknown
}

export interface MountPoint {
  Type: string
  Name?: string
  Source: string
  Destination: string
  Mode?: string
  RW: boolean
  [field: string]: unknown
}

export interface Endpoint {
  IPAMConfig?: unknown
  Aliases?: string[] | null
  Links?: string[] | null
  DriverOpts?: unknown
  [field: string]: unknown
}

/** `GET /containers/{id}/json` */
export interface ContainerJson {
  Id: string
  /** With the leading slash that the Engine puts there. */
  Name: string
  /** Id of the image (sha256:...), not its reference. */
  Image: string
  State: {
    Status: string
    Running: boolean
    Paused?: boolean
    Pid: number
    ExitCode: number
    Error?: string
    StartedAt: string
    FinishedAt: string
    Health?: { Status: string }
  }
  Config: ContainerConfig
  HostConfig: HostConfig
  Mounts: MountPoint[]
  NetworkSettings: { Networks: Record<string, Endpoint> }
  [field: string]: unknown
}

/** `GET /images/{name}/json` */
export interface ImageJson {
  Id: string
  RepoTags: string[] | null
  RepoDigests: string[] | null
  Architecture: string
  Os: string
  Size: number
  Config: Partial<ContainerConfig> | null
  [field: string]: unknown
}

/** The body of `POST /containers/create`. */
export type CreateBody = ContainerConfig & {
  HostConfig: HostConfig
  NetworkingConfig?: { EndpointsConfig: Record<string, Endpoint> }
}
