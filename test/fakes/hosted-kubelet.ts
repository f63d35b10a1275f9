import type { PodObject } from '../../agent/core/kubernetes/pod.ts'
import type { FakeClock } from './clock.ts'
import type { FakeDocker } from './docker.ts'

const START_MS = 900
const MOST_RESTARTS = 4

interface Kept {
  pod: PodObject
  container: string | null
  starts: number
}

/**
 * The kubelet of one host and its pods of one container: it ends the container of a pod that is gone by TERM, starts the
 * next pod meanwhile, and starts again what ended in a pod that is there.
 */
export class FakeHostedKubelet {
  /** It is stopped: it does nothing, and forgets what it was about to do. */
  isAsleep = false
  /** How long after it knows of the delete its TERM comes. */
  termMs = 400
  /** How long after its container has ended it starts it again. */
  restartMs = 600
  /** How long after the API server it knows that a pod is gone. */
  hearsAfterMs = 0
  /** What it sets in each container that it starts. */
  env: () => string[] = () => []
  /** Images that it cannot find. */
  readonly unknown = new Set<string>()
  readonly violations: string[] = []
  readonly #docker: FakeDocker
  readonly #clock: FakeClock
  readonly #container: string
  #pods: Kept[] = []
  #life = 0

  constructor(docker: FakeDocker, clock: FakeClock, container: string) {
    this.#docker = docker
    this.#clock = clock
    this.#container = container
  }

  added(pod: PodObject): void {
    const kept = { pod, container: null, starts: 0 }
    this.#pods.push(kept)
    void this.#start(kept, START_MS)
  }

  async gone(pod: PodObject): Promise<void> {
    if (this.hearsAfterMs > 0) await this.#clock.sleep(this.hearsAfterMs)
    const kept = this.#pods.find((one) => one.pod.metadata.uid === pod.metadata.uid)
    this.#pods = this.#pods.filter((one) => one !== kept)
    if (kept) await this.#end(kept)
  }

  /** A container ended. */
  ended(id: string): void {
    const kept = this.#pods.find(({ container }) => container === id)
    if (!kept || kept.starts > MOST_RESTARTS) return
    kept.container = null
    void this.#start(kept, this.restartMs)
  }

  /** The host booted, or its kubelet was started again: `present` are the pods that the API server has for it. */
  restart(present: PodObject[]): void {
    this.#life += 1
    const dropped = this.#pods.filter(
      ({ pod }) => !present.some(({ metadata }) => metadata.uid === pod.metadata.uid),
    )
    this.#pods = this.#pods.filter((one) => !dropped.includes(one))
    for (const kept of dropped) void this.#end(kept)
    for (const pod of present) {
      const kept = this.#pods.find((one) => one.pod.metadata.uid === pod.metadata.uid)
      if (!kept) this.added(pod)
      else void this.#again(kept)
    }
  }

  async #again(kept: Kept): Promise<void> {
    const found = kept.container === null ? undefined : await this.#docker.inspectContainer(kept.container)
    if (found?.State.Running === true) return
    kept.container = null
    await this.#start(kept, this.restartMs)
  }

  async #start(kept: Kept, ms: number): Promise<void> {
    const life = this.#life
    await this.#clock.sleep(ms)
    if (this.isAsleep || life !== this.#life || kept.container !== null || !this.#pods.includes(kept)) return
    const { metadata, spec } = kept.pod
    const image = spec.containers.find(({ name }) => name === this.#container)?.image ?? ''
    if (this.unknown.has(image)) return
    if (this.#docker.images.find(image) === undefined) this.#docker.images.pull(image, () => undefined)
    kept.starts += 1
    const id = await this.#docker.createContainer(
      `k8s_${this.#container}_${metadata.name}_${metadata.namespace}_${metadata.uid}_${kept.starts}`,
      {
        Image: image,
        Env: ['NODENAME=host-1', ...this.env()],
        Labels: {
          'io.kubernetes.pod.name': metadata.name,
          'io.kubernetes.pod.namespace': metadata.namespace,
          'io.kubernetes.pod.uid': metadata.uid,
          'io.kubernetes.container.name': this.#container,
        },
        HostConfig: {
          NetworkMode: 'host',
          RestartPolicy: { Name: 'no' },
          Binds: ['/var/run/calico:/var/run/calico'],
        },
      },
    )
    kept.container = id
    await this.#docker.startContainer(id)
    if (!this.#pods.includes(kept)) await this.#end(kept)
  }

  async #end({ container }: Kept): Promise<void> {
    const life = this.#life
    await this.#clock.sleep(this.termMs)
    if (this.isAsleep || life !== this.#life || container === null) return
    const found = await this.#docker.inspectContainer(container)
    if (found?.State.Running === true) {
      this.violations.push(`BIRD of ${found.Config.Image} got TERM`)
      await this.#docker.stopContainer(container)
    }
    await this.#docker.removeContainer(container)
  }
}
