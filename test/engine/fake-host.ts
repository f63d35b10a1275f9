import { isDeepStrictEqual } from 'node:util'
import { upgradePlan } from '../../agent/core/build-plan.ts'
import type { ContainerJson, RestartPolicy } from '../../agent/core/docker-json.ts'
import type { AgentEvent } from '../../agent/core/events.ts'
import type { Wanted } from '../../agent/core/model.ts'
import type { Plan } from '../../agent/core/plan.ts'
import { execute } from '../../agent/engine/execute.ts'
import { resume } from '../../agent/engine/resume.ts'
import type { Journal } from '../../agent/journal/journal.ts'
import { decodeJournal } from '../../agent/journal/record.ts'
import { applyRecord, type RunState } from '../../agent/journal/run-state.ts'
import { observe } from '../../agent/observe/observe.ts'
import type { Ports } from '../../agent/steps/step.ts'
import { wanted } from '../core/observed.ts'
import {
  deadSession,
  FakeBird,
  type Running,
  restartTimeline,
  session,
  type Timeline,
} from '../fakes/bird.ts'
import { FakeClock } from '../fakes/clock.ts'
import { FakeCniBinaries } from '../fakes/cni-binaries.ts'
import { FakeDocker } from '../fakes/docker.ts'
import { FakeKernelRoutes } from '../fakes/kernel-routes.ts'
import { fakeProbe } from '../fakes/probe.ts'
import { FakeSystemd } from '../fakes/systemd.ts'
import { ConfiguredHost } from './configured-host.ts'
import { journalOn, Mortal } from './mortal.ts'
import { CHANGES, CNI_CHANGES, type Death, type Move, withMoves } from './moves.ts'

export const RUN = '20261122T141503Z-7f3a'
const NAME = 'calico-node'
const OLD_IMAGE = 'calico/node:v2.6.5'
const NEW_IMAGE = 'calico/node:v2.6.12'

const WANTED: Wanted = {
  node: { image: NEW_IMAGE, container: NAME, manager: 'auto' },
  cni: {
    onlyIfInstalled: false,
    source: null,
    binaries: ['calico', 'calico-ipam'],
    sha256: {},
    binDir: '/opt/cni/bin',
    configDir: '/etc/cni/net.d',
  },
  cniConfig: null,
  controllers: wanted.controllers,
  places: { binDir: '/opt/cni/bin', configDir: '/etc/cni/net.d', configFile: null },
  birdSockets: ['/var/run/calico/bird.ctl'],
  windowMs: 20_000,
  settleMs: 1_000,
  keepImages: 1,
  release: null,
  allow: [],
}

const ENDPOINT = { family: 4, socket: '/var/run/calico/bird.ctl', via: 'host' } as const

export interface HostOptions {
  policy?: string
  autoRemove?: boolean
  /** CNI plugins are asked for as well: calico is there before, calico-ipam is not. */
  withPlugins?: boolean
  /** A peer that is down before and after. */
  deadPeer?: boolean
  /** How the new image's BIRD behaves; by default as the old one's. */
  newBird?: (instance: string) => Timeline
  /** The new container ends by itself so many ms after its start. */
  newExitsAfter?: number
  /** The CNI config is asked for as well. */
  withConfig?: boolean
}

const KILLED = 137

/** A host with one calico/node and its BIRD, and the journal of one run on its disk. */
export class FakeHost {
  readonly ops: string[] = []
  /** The clock's time of each of them, first time it happened. */
  readonly opTimes = new Map<string, number>()
  readonly events: AgentEvent[] = []
  readonly clock = new FakeClock()
  readonly docker = new FakeDocker(this.ops)
  readonly bird: FakeBird
  readonly routes = new FakeKernelRoutes()
  readonly cni = new ConfiguredHost(this.ops)
  readonly plugins = new FakeCniBinaries(this.ops)
  readonly probe = fakeProbe()
  /** What must never happen, as it happened. */
  readonly violations: string[] = []
  oldId = ''
  /** The journal on disk. */
  text = ''
  /** How many moves the last story made. */
  moves = 0
  /** Called before each move; what it throws is what the move fails with. */
  onMove: (move: number, what: string) => void = () => undefined
  readonly #options: HostOptions
  #running: Running | undefined
  #runningImage = ''
  #restAtBoot = false
  readonly #created: string[] = []

  constructor(options: HostOptions = {}) {
    this.#options = options
    this.bird = new FakeBird({
      clock: this.clock,
      running: () => this.#running,
      timeline: () => this.#timeline(),
      ops: this.ops,
    })
    const create = this.docker.createContainer.bind(this.docker)
    this.docker.createContainer = async (name, body) => {
      const id = await create(name, body)
      this.#created.push(id)
      return id
    }
    this.docker.onStart = (container) => {
      this.#started(container)
    }
    this.docker.onExit = (container) => {
      this.#exited(container)
    }
  }

  /** With the old calico/node long since recovered. */
  static async create(options: HostOptions = {}): Promise<FakeHost> {
    const host = new FakeHost(options)
    const { docker, clock } = host
    docker.images.publish(OLD_IMAGE)
    docker.images.publish(NEW_IMAGE)
    docker.images.pull(OLD_IMAGE, () => undefined)
    host.plugins.files.set('/opt/cni/bin/calico', 'old')
    host.plugins.written = true
    for (const name of WANTED.cni.binaries) host.plugins.source.set(name, 'new')
    host.oldId = await docker.createContainer(NAME, {
      Image: OLD_IMAGE,
      Env: ['NODENAME=host-1'],
      HostConfig: {
        NetworkMode: 'host',
        RestartPolicy: host.policy,
        ...(options.autoRemove === true && { AutoRemove: true }),
        Binds: ['/var/run/calico:/var/run/calico'],
      },
    })
    await docker.startContainer(host.oldId)
    clock.pass(400_000)
    host.ops.length = 0
    return host
  }

  get policy(): RestartPolicy {
    return { Name: this.#options.policy ?? 'always' }
  }

  ports(): Ports {
    const { docker, bird, clock, routes, probe, plugins } = this
    const { configs, kubelet } = this.cni
    const systemd = new FakeSystemd(docker)
    const cni = { cni: plugins, configs, kubelet }
    return { docker, bird, clock, routes, probe, ...cni, systemd, unitFiles: systemd.files }
  }

  async plan(): Promise<Plan> {
    const cniConfig = this.#options.withConfig === true ? this.cni.wanted : null
    const source = this.#options.withPlugins === true ? ({ kind: 'directory', path: '/srv' } as const) : null
    const wanted = { ...WANTED, cni: { ...WANTED.cni, source }, cniConfig }
    const looking = { emit: () => undefined, signal: new AbortController().signal }
    const observed = await observe(wanted, this.ports(), looking, () => null)
    const leftovers = { containers: [], images: [], files: [] }
    return upgradePlan({ run: RUN, wanted, observed, leftovers }).plan
  }

  /** Runs a plan, unless it is killed on the way. */
  async run(signal = new AbortController().signal, death?: Death): Promise<string> {
    const plan = await this.plan()
    return await this.#drive(death, async (journal, ports) => {
      await journal.append({ type: 'run', order: 1, agent: 'test', plan, problems: [] })
      return await execute({ journal, ports, emit: this.#emit, signal })
    })
  }

  /** What `agent resume` does: from the journal alone, if it is not finished. */
  async resume(death?: Death): Promise<string> {
    const state = this.state()
    if (state === null) return 'nothing'
    if (state.outcome !== null) return state.outcome
    const signal = new AbortController().signal
    return await this.#drive(death, (journal, ports) => resume({ journal, ports, emit: this.#emit, signal }))
  }

  /** What the journal on disk says. */
  state() {
    const { records } = decodeJournal(this.text, RUN)
    return records.reduce<RunState | null>(applyRecord, null)
  }

  /** Names of the records on disk. */
  records(): string[] {
    return decodeJournal(this.text, RUN).records.map((record) =>
      'step' in record ? `${record.type} ${record.step}` : record.type,
    )
  }

  powerCycle(): void {
    const { plan, steps } = this.state() ?? {}
    const swapped = steps?.some(
      ({ doing, status }, i) => doing && status !== 'undone' && plan?.steps[i]?.kind === 'swap-container',
    )
    this.#restAtBoot ||= swapped !== true || steps?.at(-1)?.status === 'verified'
    this.#running = undefined
    this.routes.held = false
    this.clock.reboot()
    this.docker.powerCycle()
    this.cni.kubelet.start()
  }

  async containers(): Promise<ContainerJson[]> {
    const all = await Promise.all(this.#created.map((id) => this.docker.inspectContainer(id)))
    return all.filter((found) => found !== undefined)
  }

  /** In words, what is not as it must be after a run that ended with `outcome`. */
  async flaws(outcome: string): Promise<string[]> {
    const flaws = [...this.violations]
    const upgraded = outcome === 'upgraded'
    if (!['upgraded', 'rolled-back', 'refused', 'nothing'].includes(outcome))
      flaws.push(`it ended ${outcome}`)
    const containers = await this.containers()
    const running = containers.filter(({ State }) => State.Running)
    if (this.routes.held) flaws.push('routes are held')
    flaws.push(...this.#pluginFlaws(upgraded))
    flaws.push(...this.cni.flaws(upgraded && this.#options.withConfig === true))
    const [one] = running
    if (!one && this.#restsAfterPowerCut()) return flaws
    if (one === undefined || running.length !== 1) return [...flaws, `${running.length} containers run`]
    if (one.Name !== `/${NAME}`) flaws.push(`${one.Name} runs`)
    if (one.Config.Image !== (upgraded ? NEW_IMAGE : OLD_IMAGE)) flaws.push(`${one.Config.Image} runs`)
    if (one.HostConfig.RestartPolicy.Name !== this.policy.Name) flaws.push(`it has another restart policy`)
    const kept = this.#options.autoRemove !== true
    if (!upgraded && kept && one.Id !== this.oldId) flaws.push('the old container was made again')
    for (const other of containers.filter(({ Id }) => Id !== one.Id)) {
      const parked = upgraded && other.Id === this.oldId && other.Name === `/${NAME}-parked-${RUN}`
      if (!parked || other.HostConfig.RestartPolicy.Name !== 'no') flaws.push(`${other.Name} is left`)
    }
    if (upgraded && kept && containers.length !== 2) flaws.push('the way back is gone')
    return flaws
  }

  /** All old or all new, and nothing beside them but the way back. */
  #pluginFlaws(upgraded: boolean): string[] {
    const swapped = upgraded && this.#options.withPlugins === true
    const expected: Record<string, string> = swapped
      ? { calico: 'new', 'calico-ipam': 'new', [`.calico-agent-${RUN}-calico.old`]: 'old' }
      : { calico: 'old' }
    const found = Object.fromEntries([...this.plugins.files].map(([path, text]) => [path.slice(13), text]))
    const same = isDeepStrictEqual(found, expected)
    return same ? [] : [`the plugins are ${JSON.stringify(found)}`]
  }

  /** Nothing was on trial, and the operator wants no start after a boot. */
  #restsAfterPowerCut(): boolean {
    return this.policy.Name === 'no' && this.#restAtBoot
  }

  readonly #emit = (event: AgentEvent): void => {
    this.events.push(event)
  }

  async #drive(
    death: Death | undefined,
    story: (journal: Journal, ports: Ports) => Promise<string>,
  ): Promise<string> {
    const agent = new Mortal(death, (move, what) => {
      this.moves = move + 1
      this.onMove(move, what)
    })
    const move: Move = (what, make) => agent.move(what, () => this.#timed(make))
    const journal = journalOn(this, RUN, this.clock, move)
    const docker = withMoves(this.docker, CHANGES, move)
    const bird = withMoves(this.bird, ['disable', 'enable'], move)
    const configs = withMoves(this.cni.configs, ['replace', 'restore', 'remove'], move)
    const kubelet = withMoves(this.cni.kubelet, ['restart'], move)
    const cni = withMoves(this.plugins, CNI_CHANGES, move)
    const ports = { ...this.ports(), docker, bird, cni, configs, kubelet }
    return await Promise.race([story(journal, ports), agent.killed.promise])
  }

  async #timed<T>(make: () => Promise<T>): Promise<T> {
    const known = this.ops.length
    try {
      return await make()
    } finally {
      for (const op of this.ops.slice(known))
        if (!this.opTimes.has(op)) this.opTimes.set(op, this.clock.now())
    }
  }

  #started({ Id, Config }: ContainerJson): void {
    if (this.#running) this.violations.push(`${Config.Image} started beside ${this.#runningImage}`)
    this.#running = { container: Id, since: this.clock.now() }
    this.#runningImage = Config.Image
    const { newExitsAfter } = this.#options
    if (newExitsAfter === undefined || Config.Image !== NEW_IMAGE) return
    void this.clock.sleep(newExitsAfter).then(() => {
      if (this.#running?.container === Id) this.docker.exit(Id, 1)
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

  #timeline(): Timeline {
    const instance = `${this.clock.bootId()} ${this.#running?.since ?? 0}`
    const { newBird, deadPeer } = this.#options
    if (newBird && this.#runningImage === NEW_IMAGE) return newBird(instance)
    return restartTimeline(instance, [session(2), session(3), ...(deadPeer === true ? [deadSession(9)] : [])])
  }
}
