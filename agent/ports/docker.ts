import type { ContainerProcess } from '../core/docker/felix.ts'
import type { FileAccess } from '../core/docker/file-access.ts'
import type { ContainerJson, CreateBody, Endpoint, ImageJson, RestartPolicy } from '../core/docker/json.ts'
import type { RunningContainer } from '../core/docker/second-node.ts'

export interface EngineInfo {
  /** Host name that the Engine runs under. */
  name: string
  /** In the names that images use: amd64, arm64. */
  architecture: string
  os: string
  version: string
  /** Null for Docker; else the container runtime as the kubelet reports it, such as `containerd://1.6.20`. */
  runtime: string | null
  /** Null where the kubelet watches its space. */
  dataRoot: string | null
  /** Where its images are unpacked: containerd's root with the image store of containerd, the default since Docker 29. */
  imageRoot: string | null
  /** Containers survive a restart of the Engine. */
  liveRestore: boolean
}

export interface ContainerSummary {
  id: string
  /** Without the leading slash. */
  name: string
  state: string
  labels: Record<string, string>
}

/** What the registry has under a reference now, without pulling it. */
export interface RemoteImage {
  digest: string
  /** `os/architecture`; empty where the registry does not say. */
  platforms: string[]
}

/** A registry has not answered yet. */
export interface LookUpWait {
  /** The agent gives up after this total time. */
  limitMs: number
  /** Set when a try failed and is about to be repeated: which one, from 1, and why. */
  retry?: { attempt: number; reason: string }
}

export interface PullProgress {
  currentBytes: number
  totalBytes: number
  layersDone: number
  layers: number
  /** Set when a try failed and is about to be repeated: which one, from 1, and why. */
  retry?: { attempt: number; reason: string }
}

/** A path inside a container, as `docker cp` gets it. */
export interface ContainerArchive {
  kind: 'file' | 'symlink' | 'other'
  /** Of a symlink: where it leads, inside the container. */
  linkTarget: string
  /** The tar of the path, as it comes. */
  tar: AsyncIterable<Uint8Array>
  /** Ends the transfer. */
  close(): void
}

/** The end of a file inside a container. */
export interface FileTail {
  text: string
  /** RFC 3339. */
  modifiedAt: string
}

export interface ExecResult {
  exitCode: number
  output: string
}

/**
 * What every container runtime of a host offers: all that a hosted install needs. A look-up answers `undefined` only when
 * the runtime says that the thing does not exist; one that cannot be reached throws, as gone and unknown are not the same.
 */
export interface ContainerRuntime {
  info(): Promise<EngineInfo>

  /** By id, id prefix or name. */
  inspectContainer(container: string): Promise<ContainerJson | undefined>
  /** All containers, stopped ones too, that carry the label. */
  listContainers(label: string): Promise<ContainerSummary[]>
  /** Those that run now. */
  runningContainers(): Promise<RunningContainer[]>
  /** SIGKILL; returns when the container has exited. A container that is gone or does not run is no error. */
  killContainer(id: string): Promise<void>
  /** The last lines of the container's log; empty if there is none or it is not available. */
  containerLog(id: string, lines: number): Promise<string>
  /** The end of a regular file inside the container, running or not; `undefined` if it is not available at once. */
  containerFileTail(id: string, path: string): Promise<FileTail | undefined>
  /** Of a running container, with the process ids of the host. */
  processes(id: string): Promise<ContainerProcess[]>
  /** Text of a regular file inside the container; `undefined` where there is none. Only Docker reads one that does not run. */
  readContainerFile(id: string, path: string): Promise<string | undefined>

  inspectImage(ref: string): Promise<ImageJson | undefined>
  /** Asks the registry, with the operator's login; null where nothing but a pull can ask it. */
  inspectRemoteImage(
    ref: string,
    onWait: (wait: LookUpWait) => void,
    signal: AbortSignal,
  ): Promise<RemoteImage | null>
  pullImage(ref: string, onProgress: (progress: PullProgress) => void, signal: AbortSignal): Promise<void>
}

/** Docker Engine. One that cannot be reached throws `AgentError('docker-unreachable')`. */
export interface Docker extends ContainerRuntime {
  /** Returns the id. */
  createContainer(name: string, body: CreateBody): Promise<string>
  connectNetwork(container: string, network: string, endpoint: Endpoint): Promise<void>
  /** Starting a running container is no error. */
  startContainer(id: string): Promise<void>
  /**
   * SIGTERM, and SIGKILL once the container's own stop timeout is over; returns when it has exited. A container that is
   * gone or does not run is no error.
   */
  stopContainer(id: string): Promise<void>
  /** Renaming to the name that it has is no error. */
  renameContainer(id: string, name: string): Promise<void>
  setRestartPolicy(id: string, policy: RestartPolicy): Promise<void>
  /** Removes the container, running or not, never its volumes. A container that is gone is no error. */
  removeContainer(id: string): Promise<void>
  /** A volume that is gone is no error. */
  removeVolume(name: string): Promise<void>
  exec(id: string, argv: string[], timeoutMs: number): Promise<ExecResult>
  /** Who may do what with a file or a directory inside the container, links followed; `undefined` where there is none. */
  fileAccess(id: string, path: string): Promise<FileAccess | undefined>
  /** A path inside the container, running or not, to be read or closed; `undefined` where there is none. */
  openContainerArchive(id: string, path: string, signal: AbortSignal): Promise<ContainerArchive | undefined>
  /** Removes a reference; an image that is in use or gone is no error. Returns whether it was removed. */
  removeImage(ref: string): Promise<boolean>
}
