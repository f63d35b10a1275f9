import type { GatedDaemon } from '../../core/bird/baseline.ts'
import type { HealthReading, Readings } from '../../core/bird/trial.ts'
import type { BirdView, Depth, SessionRow } from '../../core/bird/view.ts'
import type { StepContext } from '../step.ts'
import { failingCheck, lookAtFelix } from './health.ts'
import { gonePeers } from './peers.ts'
import { Poller } from './poller.ts'
import { type ContainerReading, isOld, readContainer, readDaemon, type Trial } from './readings.ts'

/** Docker is busy with the start; asking more often would slow down the start. */
const CONTAINER_POLL_MS = 250
const HEALTH_POLL_MS = 500
const PEERS_POLL_MS = 3_000
/** After this long, the result of a look at the container is out of date. */
const OVERDUE_MS = 2_000

/** What to look at next, beside the container itself. */
export interface Interest {
  /** How often to ask BIRD, and what each daemon is asked for. */
  birdMs: number
  depths: Depth[]
  health: boolean
  /** Neighbors whose hosts may be gone. */
  peers: { neighbor: string; port: number }[]
}

/** All looks at a container on trial, in parallel. */
export class TrialObserver {
  readonly #trial: Trial
  readonly #context: StepContext
  readonly #birds: Poller<BirdView<SessionRow>>[]
  readonly #container: Poller<ContainerReading>
  readonly #health: Poller<HealthReading>
  readonly #peers: Poller<string[]>
  #interest: Interest
  readonly #views: (BirdView<SessionRow> | undefined)[] = []
  #seen: ContainerReading = { state: 'running', exitCode: null, health: null }

  constructor(trial: Trial, daemons: GatedDaemon[], context: StepContext) {
    const { container } = trial
    this.#trial = trial
    this.#context = context
    this.#interest = { birdMs: 0, depths: daemons.map(() => 'rows'), health: false, peers: [] }
    this.#birds = daemons.map(
      ({ endpoint }, i) =>
        new Poller(() => readDaemon(endpoint, container, this.#interest.depths[i] ?? 'rows', context)),
    )
    this.#container = new Poller(() => readContainer(container, context))
    this.#health = new Poller(() => this.#lookAtHealth())
    this.#peers = new Poller(() => gonePeers(this.#interest.peers, isOld(trial), context))
  }

  /** The container as it was last seen. */
  get container(): ContainerReading {
    return this.#seen
  }

  /** The last look at each daemon. */
  get views(): (BirdView<SessionRow> | undefined)[] {
    return this.#views
  }

  /** Begins every look that is due, and waits for none. */
  begin(interest: Interest): void {
    const { clock } = this.#context
    this.#interest = interest
    for (const bird of this.#birds) bird.begin(interest.birdMs, clock)
    this.#container.begin(CONTAINER_POLL_MS, clock)
    if (interest.health) this.#health.begin(HEALTH_POLL_MS, clock)
    if (interest.peers.length > 0) this.#peers.begin(PEERS_POLL_MS, clock)
  }

  /** Some BIRD has not answered yet. */
  get awaitsBird(): boolean {
    return this.#birds.some(({ pending }) => pending !== undefined)
  }

  /** Resolves when every BIRD has answered, or at the limit. */
  async birdsAnswered(limitMs: number): Promise<void> {
    const answered = new AbortController()
    const all = Promise.all(this.#birds.flatMap(({ pending }) => pending?.ended ?? [])).then(() => {
      // without a reason, each abort creates an error with its stack
      answered.abort('answered')
    })
    await Promise.race([all, this.#context.clock.sleep(limitMs, answered.signal).catch(() => undefined)])
  }

  /** What has come since the last time. */
  news(): Readings {
    const now = this.#context.clock.now()
    const container = this.#container.news()
    const { pending } = this.#container
    if (container) this.#seen = container.value
    else if (pending && now - pending.since > OVERDUE_MS) this.#seen = { ...this.#seen, state: 'unknown' }
    return {
      views: this.#birds.map((bird, i) => {
        const news = bird.news()
        if (news) this.#views[i] = news.value
        return news && { view: news.value, at: news.at }
      }),
      container: { state: this.#seen.state, at: container?.takenAt ?? null },
      health: this.#health.news()?.value,
      gonePeers: this.#peers.news()?.value,
    }
  }

  async #lookAtHealth(): Promise<HealthReading> {
    const { gate, container } = this.#trial
    const [felix, ...checks] = await Promise.all([
      gate.felix === true ? lookAtFelix(container, this.#context) : null,
      ...gate.health.map((check) => failingCheck(check, container, this.#context)),
    ])
    const health = gate.dockerHealth === true ? this.#seen.health : null
    return {
      pending: health === 'starting' ? ['Docker reports it as starting'] : [],
      failing: [
        ...(health === 'unhealthy' ? ['Docker reports it as unhealthy'] : []),
        ...checks.filter((words) => words !== null),
        ...(felix === 'none' ? ['Felix is not running'] : []),
      ],
      felix: felix === 'none' ? null : felix,
    }
  }
}
