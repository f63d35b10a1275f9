import { setTimeout as sleep } from 'node:timers/promises'
import type { ContainerJson } from '../../core/docker/json.ts'
import type { RunningContainer } from '../../core/docker/second-node.ts'
import { AgentError } from '../../core/errors.ts'
import type { PodObject } from '../../core/kubernetes/pod.ts'
import { imageOfContainer, type KnownImage } from '../../core/runtime/node-images.ts'
import {
  exitCodeOf,
  podContainerJson,
  podContainerName,
  podLabels,
  statusOf,
} from '../../core/runtime/pod-container.ts'
import type { ContainerSummary } from '../../ports/docker.ts'
import type { Kubernetes } from '../../ports/kubernetes.ts'
import { type Linked, linkedContainers } from './log-links.ts'
import type { Proc } from './proc.ts'
import type { ContainerProcesses } from './processes.ts'

/** The kubelet looks at its containers each second, and reports what has changed. */
const REPORT_MS = 1_500
const REPORT_POLL_MS = 300
/** As Docker has it of a container that it has killed. */
const KILLED = 137

/** A prefix of an id that is as long as people write it. */
const ID_PREFIX = /^[0-9a-f]{12,64}$/

interface Parts {
  /** Of the host's file system. */
  root: string
  proc: Proc
  processes: ContainerProcesses
  kubernetes: Pick<Kubernetes, 'get'>
}

/**
 * The containers of this host's pods. Which there are and which of them run is read from the host alone: the API server
 * is some seconds behind, and may be away while a window is open. It is asked once for what the pod asks for.
 */
export class PodContainers {
  readonly #parts: Parts
  /** Pods by the id of a container that the kubelet has reported. */
  readonly #pods = new Map<string, PodObject>()
  readonly #exitCodes = new Map<string, number>()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  async inspect(container: string): Promise<ContainerJson | undefined> {
    const linked = await this.find(container)
    if (linked === undefined) return undefined
    const { processes, proc } = this.#parts
    const pid = await processes.first(linked.id)
    const [pod, env] = await Promise.all([
      this.#podOf(linked),
      pid === null ? [] : proc.texts(pid, 'environ'),
    ])
    const exitCode = pid === null ? await this.#exitCode(linked) : 0
    return podContainerJson(linked, { pid, startedAt: linked.startedAt, exitCode, env }, pod)
  }

  async list(label: string): Promise<ContainerSummary[]> {
    const [key = '', value] = label.split('=')
    const all = await linkedContainers(this.#parts.root)
    const found = all.filter((one) => {
      const has = podLabels(one)[key]
      return has !== undefined && (value === undefined || has === value)
    })
    return await Promise.all(
      found.map(async (one) => ({
        id: one.id,
        name: podContainerName(one),
        state: (await this.#parts.processes.first(one.id)) === null ? 'exited' : 'running',
        labels: podLabels(one),
      })),
    )
  }

  /** Of all namespaces, by what the kernel shows: the API server need not let the agent read them. */
  async running(): Promise<RunningContainer[]> {
    const all = await linkedContainers(this.#parts.root)
    return (await Promise.all(all.map((one) => this.#running(one)))).flat()
  }

  async kill(id: string): Promise<void> {
    const linked = await this.find(id)
    if (linked === undefined) return
    if ((await this.#parts.processes.first(linked.id)) !== null) this.#exitCodes.set(linked.id, KILLED)
    await this.#parts.processes.kill(linked.id)
  }

  async find(container: string): Promise<Linked | undefined> {
    const isPrefix = ID_PREFIX.test(container)
    const all = await linkedContainers(this.#parts.root)
    return all.find((one) =>
      isPrefix ? one.id.startsWith(container) : podContainerName(one) === container.replace(/^\//, ''),
    )
  }

  /** Its first process. @throws AgentError `container-not-found`, `container-not-running` */
  async processOf(container: string): Promise<number> {
    const linked = await this.find(container)
    if (linked === undefined) throw notThere(container)
    const pid = await this.#parts.processes.first(linked.id)
    if (pid === null) throw notRunning(container)
    return pid
  }

  /** What the containers that were looked at were made from. */
  images(): KnownImage[] {
    return [...this.#pods].flatMap(([id, pod]) => {
      const status = statusOf(pod, { id })
      const { containers, initContainers = [] } = pod.spec
      const spec = [...initContainers, ...containers].find(({ name }) => name === status?.name)
      return spec && status?.imageID ? [imageOfContainer(spec.image, status.imageID)] : []
    })
  }

  async #running(linked: Linked): Promise<RunningContainer[]> {
    const { proc, processes } = this.#parts
    const pid = await processes.first(linked.id)
    if (pid === null) return []
    const [isOnHost, mounts, words] = await Promise.all([
      proc.isOnHostNetwork(pid),
      proc.text(pid, 'mountinfo'),
      proc.texts(pid, 'cmdline'),
    ])
    const pod = this.#pods.get(linked.id)
    const image = pod?.spec.containers.find(({ name }) => name === linked.container)?.image
    return [
      {
        id: linked.id,
        name: podContainerName(linked),
        image: image ?? `pod ${linked.namespace}/${linked.pod}`,
        command: words.join(' '),
        labels: podLabels(linked),
        networkMode: isOnHost ? 'host' : 'pod',
        mounts: mountsOf(mounts ?? ''),
      },
    ]
  }

  /** What a pod asks for never changes. Null where it is gone; what the kubelet has not reported yet is asked for again. */
  async #podOf(linked: Linked): Promise<PodObject | null> {
    return this.#pods.get(linked.id) ?? (await this.#askFor(linked))
  }

  async #askFor(linked: Linked): Promise<PodObject | null> {
    const { namespace, pod: name, uid, id } = linked
    const pod = await this.#parts.kubernetes.get({ kind: 'Pod', namespace, name })
    if (pod?.metadata.uid !== uid) return null
    if (statusOf(pod, linked)?.imageID) this.#pods.set(id, pod)
    return pod
  }

  /** -1 where the kubelet does not say it in time. */
  async #exitCode(linked: Linked): Promise<number> {
    const end = performance.now() + REPORT_MS
    for (;;) {
      const known = this.#exitCodes.get(linked.id)
      if (known !== undefined) return known
      const pod = await this.#askFor(linked)
      const code = pod && exitCodeOf(pod, linked)
      if (code !== null) this.#exitCodes.set(linked.id, code)
      else if (pod === null || performance.now() > end) return -1
      else await sleep(REPORT_POLL_MS)
    }
  }
}

/** Where something is mounted, and whether it can be written to (proc(5): fields 5 and 6). */
function mountsOf(mountinfo: string): RunningContainer['mounts'] {
  return mountinfo.split('\n').flatMap((line) => {
    const [, , , , target, options] = line.split(' ')
    if (target === undefined || options === undefined) return []
    return [{ target, writable: options.split(',').includes('rw') }]
  })
}

function notThere(container: string): AgentError {
  return new AgentError('container-not-found', `cannot find container ${container} on this host`, {
    fix: 'list the containers of its pods: ls /var/log/containers',
  })
}

function notRunning(container: string): AgentError {
  return new AgentError('container-not-running', `cannot look into container ${container}: it does not run`, {
    fix: 'kubectl -n NAMESPACE describe pod POD shows why it ended',
  })
}
