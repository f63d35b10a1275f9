import type { ContainerProcess } from '../../agent/core/docker/felix.ts'
import type { FileAccess } from '../../agent/core/docker/file-access.ts'
import type {
  ContainerJson,
  CreateBody,
  Endpoint,
  ImageJson,
  RestartPolicy,
} from '../../agent/core/docker/json.ts'
import type { RunningContainer } from '../../agent/core/docker/second-node.ts'
import { AgentError } from '../../agent/core/errors.ts'
import type {
  ContainerArchive,
  ContainerSummary,
  Docker,
  EngineInfo,
  ExecResult,
  FileTail,
  PullProgress,
  RemoteImage,
} from '../../agent/ports/docker.ts'
import { archiveOf, type FakeFile } from './docker-archive.ts'
import { createdContainer } from './docker-container.ts'
import { FakeContainers } from './docker-containers.ts'
import { FakeImages } from './docker-images.ts'
import { hasLabel, nameOf, refusal, runningOf, timedOut } from './docker-words.ts'

/**
 * A Docker Engine in memory, held to the real one by test/contract. Whatever changes something is written to
 * `ops` as a sentence with names, not ids: `docker start calico-node`.
 */
export class FakeDocker extends FakeContainers implements Docker {
  readonly images = new FakeImages()
  /** Files that every container shows, by path. */
  readonly files = new Map<string, FakeFile>()
  /** What every container logs. */
  log = ''
  /** Who may read what, in every container. */
  readonly access = new Map<string, FileAccess>()
  /** Networks beside the built-in ones. */
  readonly networks = new Set<string>()
  /** Every call fails while the Engine is down. */
  down = false
  liveRestore = false
  /** Another one with the image store of containerd. */
  imageRoot = '/var/lib/docker'
  /** What an exec answers. */
  onExec: (container: ContainerJson, argv: string[]) => ExecResult | Promise<ExecResult> = () => ({
    exitCode: 0,
    output: '',
  })
  /** What runs in every container. */
  onProcesses: (container: ContainerJson) => ContainerProcess[] = () => [{ pid: 1, args: 'runsvdir' }]
  /** How long the Engine is at a kill; whoever asked for it need not live as long. */
  killTakes: () => Promise<void> = () => Promise.resolve()
  /** How long a start waits for its turn; whoever asked for it need not live as long. */
  startTakes: (id: string) => Promise<void> = () => Promise.resolve()
  private readonly failures = new Map<string, Error>()
  private readonly removedVolumes: string[] = []
  private created = 0

  /** The next call of this method throws. */
  failNext(method: keyof Docker, error: Error): void {
    this.failures.set(method, error)
  }

  async info(): Promise<EngineInfo> {
    await this.called('info')
    return {
      name: 'host-1',
      architecture: 'amd64',
      os: 'linux',
      version: '20.10.24',
      runtime: null,
      dataRoot: '/var/lib/docker',
      imageRoot: this.imageRoot,
      liveRestore: this.liveRestore,
    }
  }

  async inspectContainer(container: string): Promise<ContainerJson | undefined> {
    await this.called('inspectContainer')
    return structuredClone(this.find(container)?.json)
  }

  async listContainers(label: string): Promise<ContainerSummary[]> {
    await this.called('listContainers')
    return this.containers
      .map(({ json }) => ({
        id: json.Id,
        name: nameOf(json),
        state: json.State.Status,
        labels: { ...json.Config.Labels },
      }))
      .filter(({ labels }) => hasLabel(labels, label))
  }

  async runningContainers(): Promise<RunningContainer[]> {
    await this.called('runningContainers')
    return this.containers.filter(({ json }) => json.State.Running).map(({ json }) => runningOf(json))
  }

  async createContainer(name: string, body: CreateBody): Promise<string> {
    await this.called('createContainer')
    const what = `create container ${name}`
    const image = this.images.find(body.Image)
    if (image === undefined) throw refusal(what, 404, `No such image: ${body.Image}`)
    this.refuseTakenName(what, name)
    if (body.HostConfig.AutoRemove === true && !['', 'no'].includes(body.HostConfig.RestartPolicy.Name)) {
      throw refusal(what, 400, "can't create 'AutoRemove' container with restart policy")
    }
    this.created += 1
    const id = this.created.toString(16).padStart(12, 'c').padEnd(64, '0')
    this.containers.push({ json: createdContainer(id, name, body, image), manuallyStopped: false })
    this.ops.push(`docker create ${name} ${body.Image}`)
    return id
  }

  async connectNetwork(container: string, network: string, endpoint: Endpoint): Promise<void> {
    await this.called('connectNetwork')
    const { json } = this.need(container, `connect container ${container} to network ${network}`)
    json.NetworkSettings.Networks[network] = structuredClone(endpoint)
    this.ops.push(`docker connect ${nameOf(json)} ${network}`)
  }

  async startContainer(id: string): Promise<void> {
    await this.called('startContainer')
    await this.startTakes(id)
    const container = this.need(id, `start container ${id}`)
    if (container.json.State.Running) return
    this.refuseMissingNetwork(container.json)
    this.ops.push(`docker start ${nameOf(container.json)}`)
    this.started(container)
  }

  async killContainer(id: string): Promise<void> {
    await this.called('killContainer')
    await this.killTakes()
    const container = this.find(id)
    if (container?.json.State.Running !== true) return
    this.ops.push(`docker kill ${nameOf(container.json)}`)
    container.manuallyStopped = true
    this.ended(container, 137)
  }

  async stopContainer(id: string): Promise<void> {
    await this.called('stopContainer')
    const container = this.find(id)
    if (container?.json.State.Running !== true) return
    this.ops.push(`docker stop ${nameOf(container.json)}`)
    container.manuallyStopped = true
    this.ended(container, 143)
  }

  async renameContainer(id: string, name: string): Promise<void> {
    await this.called('renameContainer')
    const what = `rename container ${id} to ${name}`
    const { json } = this.need(id, what)
    if (nameOf(json) === name) return
    this.refuseTakenName(what, name)
    this.ops.push(`docker rename ${nameOf(json)} ${name}`)
    json.Name = `/${name}`
  }

  async setRestartPolicy(id: string, policy: RestartPolicy): Promise<void> {
    await this.called('setRestartPolicy')
    const what = `set the restart policy of container ${id}`
    const { json } = this.need(id, what)
    if (json.HostConfig.AutoRemove === true && policy.Name !== 'no') {
      throw refusal(
        what,
        409,
        'Restart policy cannot be updated because AutoRemove is enabled for the container',
      )
    }
    json.HostConfig.RestartPolicy = { ...policy }
    this.ops.push(`docker update ${nameOf(json)} --restart ${policy.Name}`)
  }

  async removeContainer(id: string): Promise<void> {
    await this.called('removeContainer')
    const container = this.find(id)
    if (container === undefined) return
    this.ops.push(`docker rm ${nameOf(container.json)}`)
    if (container.json.State.Running) this.ended(container, 137)
    this.forget(container)
  }

  async removeVolume(name: string): Promise<void> {
    await this.called('removeVolume')
    if (this.removedVolumes.includes(name)) return
    if (this.containers.some(({ json }) => json.Mounts.some((mount) => mount.Name === name))) {
      throw refusal(`remove volume ${name}`, 409, `remove ${name}: volume is in use`)
    }
    this.removedVolumes.push(name)
    this.ops.push(`docker volume rm ${name}`)
  }

  async containerLog(_id: string, lines: number): Promise<string> {
    await this.called('containerLog')
    return this.log.split('\n').slice(-lines).join('\n')
  }

  /** Written after every start. */
  async containerFileTail(id: string, path: string): Promise<FileTail | undefined> {
    await this.called('containerFileTail')
    const file = this.files.get(path)
    const isThere = this.find(id) !== undefined && typeof file === 'string'
    return isThere ? { text: file, modifiedAt: '9999-01-01T00:00:00Z' } : undefined
  }

  async fileAccess(id: string, path: string): Promise<FileAccess | undefined> {
    await this.called('fileAccess')
    this.need(id, `stat ${path} of container ${id}`)
    return this.access.get(path) ?? (this.files.has(path) ? { uid: 0, gid: 0, mode: 0o644 } : undefined)
  }

  async exec(id: string, argv: string[], timeoutMs: number): Promise<ExecResult> {
    await this.called('exec')
    const what = `run ${argv.join(' ')} in container ${id}`
    const { json } = this.need(id, what)
    if (!json.State.Running) throw refusal(what, 409, `Container ${json.Id} is not running`)
    this.ops.push(`docker exec ${nameOf(json)} ${argv.join(' ')}`)
    const answer = await Promise.race([this.onExec(structuredClone(json), argv), timedOut(timeoutMs)])
    if (answer === undefined)
      throw new AgentError('exec-timeout', `cannot ${what}: it did not end`, { fix: 'wait' })
    return answer
  }

  async processes(id: string): Promise<ContainerProcess[]> {
    await this.called('processes')
    const what = `list the processes of container ${id}`
    const { json } = this.need(id, what)
    if (!json.State.Running) throw refusal(what, 409, `Container ${json.Id} is not running`)
    return this.onProcesses(structuredClone(json))
  }

  async readContainerFile(id: string, path: string): Promise<string | undefined> {
    await this.called('readContainerFile')
    this.need(id, `read ${path} of container ${id}`)
    const file = this.files.get(path)
    return typeof file === 'string' ? file : undefined
  }

  async openContainerArchive(id: string, path: string): Promise<ContainerArchive | undefined> {
    await this.called('openContainerArchive')
    this.need(id, `read ${path} of container ${id}`)
    return archiveOf(this.files, path)
  }

  async inspectImage(ref: string): Promise<ImageJson | undefined> {
    await this.called('inspectImage')
    return structuredClone(this.images.find(ref))
  }

  async inspectRemoteImage(ref: string, _onWait: unknown, signal: AbortSignal): Promise<RemoteImage> {
    await this.called('inspectRemoteImage', signal)
    const { digest, architecture } = this.images.remote(ref)
    return { digest, platforms: [`linux/${architecture}`] }
  }

  async pullImage(
    ref: string,
    onProgress: (progress: PullProgress) => void,
    signal: AbortSignal,
  ): Promise<void> {
    await this.called('pullImage', signal)
    this.ops.push(`docker pull ${ref}`)
    this.images.pull(ref, onProgress)
  }

  async removeImage(ref: string): Promise<boolean> {
    await this.called('removeImage')
    const removed = this.images.remove(ref, (id) => this.containers.some(({ json }) => json.Image === id))
    if (removed) this.ops.push(`docker rmi ${ref}`)
    return removed
  }

  private async called(method: keyof Docker, signal?: AbortSignal): Promise<void> {
    // no answer of a real Engine comes in the same turn
    await Promise.resolve()
    signal?.throwIfAborted()
    if (this.down)
      throw new AgentError('docker-unreachable', 'cannot reach Docker', { fix: 'systemctl start docker' })
    const failure = this.failures.get(method)
    this.failures.delete(method)
    if (failure !== undefined) throw failure
  }

  /** Engine 20.10 connects a container that does not run to anything, and looks only when it starts. */
  private refuseMissingNetwork({ Id, NetworkSettings, HostConfig }: ContainerJson): void {
    const missing = Object.keys(NetworkSettings.Networks).find(
      (network) => network !== HostConfig.NetworkMode && !this.networks.has(network),
    )
    if (missing !== undefined) throw refusal(`start container ${Id}`, 404, `network ${missing} not found`)
  }
}
