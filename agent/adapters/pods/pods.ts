import { hostname } from 'node:os'
import { join } from 'node:path'
import { loggedLines } from '../../core/runtime/kubelet-log.ts'
import {
  findImage,
  imageOfContainer,
  type KnownImage,
  reportedImages,
} from '../../core/runtime/node-images.ts'
import type { Docker } from '../../ports/docker.ts'
import type { Kubernetes } from '../../ports/kubernetes.ts'
import { PodContainers } from './containers.ts'
import { withoutDocker } from './docker-only.ts'
import { endOfLog, readInside, tailInside } from './files.ts'
import { Proc } from './proc.ts'
import { ContainerProcesses } from './processes.ts'
import { type PullApi, type PullOptions, pullByPod } from './pull.ts'

export interface PodRuntimeOptions {
  kubernetes: PullApi & Pick<Kubernetes, 'thisNode' | 'get'>
  /** Where it makes the pods that pull. */
  namespace: () => Promise<string>
  /** Of the host's file system, and of its processes, with the pid of the first one. */
  root?: string
  proc?: string
  init?: number
  pull?: Partial<PullOptions>
}

const pullDefaults: PullOptions = { tries: 3, limitMs: 600_000, pollMs: 250 }

/** What Docker is asked for elsewhere, on a host whose pods another container runtime runs; without its socket. */
export function createPodRuntime({
  kubernetes,
  namespace,
  root = '/',
  proc: procPath = '/proc',
  init = 1,
  ...options
}: PodRuntimeOptions): Docker {
  const proc = new Proc(procPath, init)
  const processes = new ContainerProcesses(proc)
  const containers = new PodContainers({ root, proc, processes, kubernetes })
  const pull = { ...pullDefaults, ...options.pull }
  const pulled = new Map<string, KnownImage>()
  const thisNode = () => kubernetes.thisNode(hostname())

  return withoutDocker({
    async info() {
      const { architecture = '', operatingSystem = '', ...info } = (await thisNode()).status?.nodeInfo ?? {}
      const runtime = info.containerRuntimeVersion ?? 'unknown'
      return {
        name: hostname(),
        architecture,
        os: operatingSystem,
        version: runtime,
        runtime,
        dataRoot: null,
        imageRoot: null,
        liveRestore: false,
      }
    },
    inspectContainer: (container) => containers.inspect(container),
    listContainers: (label) => containers.list(label),
    runningContainers: () => containers.running(),
    killContainer: (id) => containers.kill(id),
    async containerLog(id, lines) {
      try {
        const linked = await containers.find(id)
        return linked ? loggedLines(await endOfLog(join(root, linked.log)), lines) : ''
      } catch {
        return ''
      }
    },
    async containerFileTail(id, path) {
      try {
        return await tailInside(proc, await containers.processOf(id), path)
      } catch {
        return undefined
      }
    },
    async processes(id) {
      await containers.processOf(id)
      return await processes.list(id)
    },
    async readContainerFile(id, path) {
      return await readInside(proc, await containers.processOf(id), path)
    },
    async inspectImage(ref) {
      const node = await thisNode()
      const known = [...pulled.values(), ...containers.images(), ...reportedImages(node)]
      return findImage(ref, known, node)
    },
    inspectRemoteImage: () => Promise.resolve(null),
    async pullImage(image, onProgress, signal) {
      const place = { namespace: await namespace(), node: (await thisNode()).metadata.name }
      const id = await pullByPod(image, place, kubernetes, { ...pull, signal, onProgress })
      pulled.set(image, id === null ? { tags: [image], digests: [], size: 0 } : imageOfContainer(image, id))
    },
  })
}
