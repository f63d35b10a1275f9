import type { ContainerJson } from '../../agent/core/docker/json.ts'
import { FakeBird, type Running, type Timeline } from '../fakes/bird.ts'
import type { FakeClock } from '../fakes/clock.ts'
import type { FakeDocker } from '../fakes/docker.ts'

const ENDPOINT = { family: 4, socket: '/var/run/calico/bird.ctl', via: 'host' } as const
const KILLED = 137

interface Life {
  clock: FakeClock
  docker: FakeDocker
  ops: string[]
  /** How the BIRD of an image behaves; `instance` differs from start to start. */
  timeline: (image: string, instance: string) => Timeline
  /** Containers of the new image end by themselves so many ms after their start. */
  newImage: string
  newExitsAfter?: number | undefined
}

/** The containers of calico/node on a fake Engine, and the BIRD that lives and dies with them. */
export class NodeLife {
  readonly bird: FakeBird
  /** What must never happen, as it happened. */
  readonly violations: string[] = []
  readonly #life: Life
  #running: Running | undefined
  #image = ''

  constructor(life: Life) {
    this.#life = life
    const { clock, docker, ops } = life
    this.bird = new FakeBird({
      ...{ clock, ops },
      running: () => this.#running,
      timeline: () => life.timeline(this.#image, `${clock.bootId()} ${this.#running?.since ?? 0}`),
    })
    docker.onStart = (container) => {
      this.#started(container)
    }
    docker.onExit = (container) => {
      this.#exited(container)
    }
  }

  /** The one that runs now. */
  get container(): string | undefined {
    return this.#running?.container
  }

  /** The host lost power: nothing runs. */
  cut(): void {
    this.#running = undefined
  }

  #started({ Id, Config }: ContainerJson): void {
    const { clock, docker, newImage, newExitsAfter } = this.#life
    if (this.#running) this.violations.push(`${Config.Image} started beside ${this.#image}`)
    this.#running = { container: Id, since: clock.now() }
    this.#image = Config.Image
    if (newExitsAfter === undefined || Config.Image !== newImage) return
    void clock.sleep(newExitsAfter).then(() => {
      if (this.#running?.container === Id) docker.exit(Id, 1)
    })
  }

  #exited({ Id, Config, State }: ContainerJson): void {
    // it answers as of now
    const killed = State.ExitCode === KILLED
    void this.bird.look(ENDPOINT, Id).then((view) => {
      const established = view.state === 'up' && view.sessions.some((peer) => peer.established)
      if (killed && established && view.recovering)
        this.violations.push(`${Config.Image} killed in the middle of its recovery`)
    })
    if (this.#running?.container === Id) this.#running = undefined
  }
}
