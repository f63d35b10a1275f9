import type { FakeClock } from './clock.ts'
import type { FakeDocker } from './docker.ts'
import type { FakeManifests } from './manifests.ts'

const DIRECTORY = '/etc/kubernetes/manifests'
const START_MS = 700
const STOP_MS = 3_000
const MOST_RESTARTS = 4

/** A pod of one manifest: another text makes another pod of the same name. */
interface Pod {
  key: string
  container: string | null
  restarts: number
}

/**
 * A kubelet that starts a new pod while the old one still ends, goes on with a start whose manifest is gone meanwhile,
 * and starts what ended again.
 */
export class FakePodKubelet {
  /** It looks at no manifest any more. */
  isAsleep = false
  readonly #docker: FakeDocker
  readonly #clock: FakeClock
  readonly #manifests: FakeManifests
  readonly #node = 'host-1'
  #pods: Pod[] = []
  #boot = 0
  #attempts = 0

  constructor(docker: FakeDocker, clock: FakeClock, manifests: FakeManifests) {
    this.#docker = docker
    this.#clock = clock
    this.#manifests = manifests
    manifests.onChange = () => void this.sync()
  }

  /** The host booted: all its containers ended. */
  async boot(): Promise<void> {
    this.#boot += 1
    this.#pods = []
    await this.sync()
  }

  async sync(): Promise<void> {
    if (this.isAsleep) return
    const boot = this.#boot
    const wanted = await this.#wanted()
    if (boot !== this.#boot) return
    for (const pod of this.#pods.filter(({ key }) => !wanted.includes(key))) void this.#stop(pod)
    for (const key of wanted) {
      if (this.#pods.some((pod) => pod.key === key)) continue
      const pod = { key, container: null, restarts: 0 }
      this.#pods.push(pod)
      void this.#start(pod)
    }
  }

  /** A container of it ended. */
  ended(id: string): void {
    const pod = this.#pods.find(({ container }) => container === id)
    if (!pod || pod.restarts >= MOST_RESTARTS) return
    pod.restarts += 1
    pod.container = null
    void this.#start(pod)
  }

  async #wanted(): Promise<string[]> {
    const files = await this.#manifests.list(DIRECTORY)
    return files.flatMap(({ path, text, pod }) => ('name' in pod ? [`${path}\n${text}`] : []))
  }

  async #start(pod: Pod): Promise<void> {
    const boot = this.#boot
    await this.#clock.sleep(START_MS)
    if (boot !== this.#boot) return
    const image = /image: ["']?([^\s"']+)/.exec(pod.key)?.[1] ?? ''
    const name = /\n {2}name: (\S+)/.exec(pod.key)?.[1] ?? ''
    const container = /- name: (\S+)/.exec(pod.key)?.[1] ?? ''
    this.#attempts += 1
    const id = await this.#docker.createContainer(`k8s_${container}_${name}_${this.#attempts}`, {
      Image: image,
      Env: ['KUBECONFIG=/etc/kubeconfig'],
      Labels: {
        'io.kubernetes.pod.name': `${name}-${this.#node}`,
        'io.kubernetes.pod.namespace': 'kube-system',
        'io.kubernetes.pod.uid': '1b7d1fa1a1b2c3d4e5f60718293a4b5c',
        'io.kubernetes.container.name': container,
      },
      HostConfig: { NetworkMode: 'host', RestartPolicy: { Name: 'no' } },
    })
    pod.container = id
    await this.#docker.startContainer(id)
    await this.sync()
  }

  async #stop(pod: Pod): Promise<void> {
    const { container } = pod
    // on its way up: stopped once it is there
    if (container === null && pod.restarts === 0) return
    this.#pods = this.#pods.filter((other) => other !== pod)
    const boot = this.#boot
    await this.#clock.sleep(STOP_MS)
    if (boot === this.#boot && container !== null) await this.#docker.removeContainer(container)
  }
}
