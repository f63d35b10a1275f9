import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Docker, EngineInfo } from '../../ports/docker.ts'
import { checkAnswer, type Shape } from './answer.ts'
import { type Request, requestsTo } from './connection.ts'
import { openContainerArchiveCall, readContainerFileCall } from './container-file.ts'
import { containerCalls } from './containers.ts'
import { execCall } from './exec.ts'
import { fileAccessCall } from './file-access.ts'
import { getJson } from './get-json.ts'
import { imageRootOf, type StorageInfo } from './image-root.ts'
import { imageCalls } from './images.ts'
import { containerFileTailCall, containerLogCall } from './logs.ts'
import { type LookUpOptions, lookUpCall } from './look-up.ts'
import { processesCall } from './processes.ts'
import { type PullOptions, pullCall } from './pull.ts'
import { registryLogin } from './registry-auth.ts'

export interface DockerOptions {
  /** Path of the Engine's unix socket. */
  socket: string
  /** Directory of Docker's config.json; by default $DOCKER_CONFIG, else ~/.docker. */
  configDir?: string
  /** Milliseconds that a plain call may take. */
  timeoutMs?: number
  pull?: Partial<PullOptions>
  lookUp?: Partial<LookUpOptions>
}

const pullDefaults: PullOptions = { retries: 4, backoffMs: 1000, stallMs: 60_000 }
const lookUpDefaults: LookUpOptions = { limitMs: 30_000, silenceMs: 3_000, backoffMs: 1000 }

/** The Docker Engine at a socket. Returns at once: nothing is loaded or dialled before the first call. */
export function connectDocker(options: DockerOptions): Docker {
  const request = requestsTo(options.socket, options.timeoutMs ?? 30_000)
  const configDir = options.configDir ?? defaultConfigDir()
  const loginFor = (registry: string) => registryLogin(configDir, registry)
  const pull = { ...pullDefaults, ...options.pull }
  const lookUp = { ...lookUpDefaults, ...options.lookUp }
  return {
    info: infoCall(request),
    ...containerCalls(request),
    containerLog: containerLogCall(request),
    containerFileTail: containerFileTailCall(request),
    fileAccess: fileAccessCall(request),
    exec: execCall(request),
    processes: processesCall(request),
    readContainerFile: readContainerFileCall(request),
    openContainerArchive: openContainerArchiveCall(request),
    ...imageCalls(request),
    inspectRemoteImage: lookUpCall(request, loginFor, lookUp),
    pullImage: pullCall(request, loginFor, pull),
  }
}

/** As Docker's client does; a service without HOME gets root's by its account. */
function defaultConfigDir(): string {
  const configured = process.env['DOCKER_CONFIG']
  return configured === undefined || configured === '' ? join(homedir(), '.docker') : configured
}

/** The kernel's names on the left, those of images (Go's) on the right. */
const imageArchitectures: Record<string, string> = {
  x86_64: 'amd64',
  aarch64: 'arm64',
  armv7l: 'arm',
  i686: '386',
}

function infoCall(request: Request): () => Promise<EngineInfo> {
  return async () => {
    const what = 'query Docker Engine'
    const answer = await request(what, (engine, abortSignal) => getJson(engine, '/info', abortSignal))
    const info = checkAnswer(what, answer, infoShape) as InfoJson
    return {
      name: info.Name,
      architecture: imageArchitectures[info.Architecture] ?? info.Architecture,
      os: info.OSType,
      version: info.ServerVersion,
      runtime: null,
      dataRoot: info.DockerRootDir,
      imageRoot: await imageRootOf(info),
      liveRestore: info.LiveRestoreEnabled === true,
    }
  }
}

/** The part of `GET /info` that is read. */
interface InfoJson extends StorageInfo {
  Name: string
  Architecture: string
  OSType: string
  ServerVersion: string
  /** Absent before Docker 1.12. */
  LiveRestoreEnabled?: boolean
}

const infoShape: Shape = {
  ...{ Name: 'string', Architecture: 'string', OSType: 'string' },
  ...{ ServerVersion: 'string', DockerRootDir: 'string', DriverStatus: 'array?', Containerd: 'object?' },
}
