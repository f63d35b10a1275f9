import type { ContainerJson, RestartPolicy } from '../../agent/core/docker/json.ts'
import type { Problem } from '../../agent/core/errors.ts'
import type { AgentEvent } from '../../agent/core/events.ts'
import { clusterNode } from '../../agent/core/kubernetes/node.ts'
import { upgradePlan } from '../../agent/core/plan/build.ts'
import type { Plan } from '../../agent/core/plan/plan.ts'
import { preflightWithoutImage } from '../../agent/core/preflight.ts'
import type { Wanted } from '../../agent/core/wanted.ts'
import { observe } from '../../agent/observe/observe.ts'
import type { Ports } from '../../agent/steps/step.ts'
import { recheckOf } from '../../agent/stories/recheck.ts'
import { wanted as anyHost } from '../core/observed.ts'
import { deadSession, restartTimeline, session, type Timeline } from '../fakes/bird.ts'
import { FakeClock } from '../fakes/clock.ts'
import { FakeCniBinaries } from '../fakes/cni-binaries.ts'
import { FakeDatastore } from '../fakes/datastore.ts'
import { FakeDialGuard } from '../fakes/dial-guard.ts'
import { FakeDocker } from '../fakes/docker.ts'
import { FakeKernelRoutes } from '../fakes/kernel-routes.ts'
import { FakeKubernetes } from '../fakes/kubernetes.ts'
import { FakeManifests } from '../fakes/manifests.ts'
import { fakeProbe } from '../fakes/probe.ts'
import { FakeSystemd } from '../fakes/systemd.ts'
import { ConfiguredHost } from './configured-host.ts'
import { KillableRun, RUN } from './killable-run.ts'
import { BIRD_CFG, MESH } from './mesh-config.ts'
import { CHANGES, CNI_CHANGES, type Death, type Move, withMoves } from './moves.ts'
import { containerFlaws, pluginFlaws } from './node-flaws.ts'
import { NodeLife } from './node-life.ts'

const NAME = 'calico-node'
const OLD_IMAGE = 'calico/node:v2.6.5'
const NEW_IMAGE = 'calico/node:v2.6.12'

const WANTED: Wanted = { ...anyHost, windowMs: 20_000, settleMs: 1_000 }

export interface HostOptions {
  policy?: string
  autoRemove?: boolean
  /** CNI plugins are asked for as well: calico is there before, calico-ipam is not. */
  withPlugins?: boolean
  /** A peer that is down before and after. */
  deadPeer?: boolean
  /** How the new image's BIRD behaves; by default as the old one's. */
  newBird?: (instance: string) => Timeline
  /** More of the container's environment. */
  env?: string[]
  /** How the old image's BIRD behaves, from its start 400 s before the run. */
  oldBird?: (instance: string) => Timeline
  /** The new container ends by itself so many ms after its start. */
  newExitsAfter?: number
  /** The CNI config is asked for as well. */
  withConfig?: boolean
  /** The host is a Node of a cluster, which cordons it. */
  inCluster?: boolean
  /** What is asked for in place of the new image, and the version that its label states. */
  asked?: { image: string; label: string; allow?: string[] }
}

/** An image of its own whose label states the version. */
export function labelled(version: string) {
  const Labels = { 'org.opencontainers.image.version': version }
  const hex = Buffer.from(version).toString('hex').padStart(64, '0')
  return { id: `sha256:${hex}`, digest: `sha256:${hex}`, config: { Labels } }
}

/** A host with one calico/node and its BIRD, and an agent that may die on it. */
export class FakeHost {
  readonly ops: string[] = []
  /** The clock's time of each of them, first time it happened. */
  readonly opTimes = new Map<string, number>()
  readonly events: AgentEvent[] = []
  readonly clock = new FakeClock()
  readonly agent = new KillableRun(this.clock, () => [
    this.ops.length,
    this.routes.held,
    this.dialGuard.closed.size,
  ])
  readonly docker = new FakeDocker(this.ops)
  readonly node: NodeLife
  readonly routes = new FakeKernelRoutes()
  readonly dialGuard = new FakeDialGuard(this.ops)
  readonly cni = new ConfiguredHost(this.ops)
  readonly plugins = new FakeCniBinaries(this.ops)
  readonly probe = fakeProbe()
  readonly datastore = new FakeDatastore()
  readonly cluster: FakeKubernetes | null
  oldId = ''
  readonly #options: HostOptions
  #restAtBoot = false
  /** What the rules said of the host when the plan was made. */
  #told: Problem[] = []
  readonly #created: string[] = []

  constructor(options: HostOptions = {}) {
    this.#options = options
    this.cluster = options.inCluster === true ? new FakeKubernetes('host-1') : null
    const { clock, docker, ops } = this
    const timeline = (image: string, instance: string) => this.#timeline(image, instance)
    const { newExitsAfter } = options
    this.node = new NodeLife({ clock, docker, ops, timeline, newImage: NEW_IMAGE, newExitsAfter })
    const create = docker.createContainer.bind(docker)
    docker.createContainer = async (name, body) => {
      const id = await create(name, body)
      this.#created.push(id)
      return id
    }
  }

  /** With the old calico/node long since recovered. */
  static async create(options: HostOptions = {}): Promise<FakeHost> {
    const host = new FakeHost(options)
    const { docker, clock } = host
    docker.files.set(BIRD_CFG, MESH)
    docker.images.publish(OLD_IMAGE)
    docker.images.publish(NEW_IMAGE)
    if (options.asked) docker.images.publish(options.asked.image, labelled(options.asked.label))
    docker.images.pull(OLD_IMAGE, () => undefined)
    host.plugins.files.set('/opt/cni/bin/calico', 'old')
    host.plugins.written = true
    for (const name of WANTED.cni.binaries) host.plugins.source.set(name, 'new')
    host.oldId = await docker.createContainer(NAME, {
      Image: OLD_IMAGE,
      Env: ['NODENAME=host-1', ...(options.env ?? [])],
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
    const { docker, clock, routes, dialGuard, probe, datastore, plugins } = this
    const { bird } = this.node
    const { configs, kubelet } = this.cni
    const systemd = new FakeSystemd(docker)
    const cni = { cni: plugins, configs, kubelet }
    return {
      docker,
      bird,
      clock,
      routes,
      dialGuard,
      probe,
      datastore,
      ...cni,
      systemd,
      unitFiles: systemd.files,
      manifests: new FakeManifests(),
      kubernetes: this.cluster,
    }
  }

  async plan(): Promise<Plan> {
    const cniConfig = this.#options.withConfig === true ? this.cni.wanted : null
    const source = this.#options.withPlugins === true ? ({ kind: 'directory', path: '/srv' } as const) : null
    const { image = NEW_IMAGE, allow = [] } = this.#options.asked ?? {}
    const node = { ...WANTED.node, image }
    const kubernetes = this.cluster && { cordon: true }
    const wanted = { ...WANTED, node, cni: { ...WANTED.cni, source }, cniConfig, kubernetes, allow }
    const looking = { emit: () => undefined, signal: new AbortController().signal }
    const observed = await observe(wanted, this.ports(), looking, () => null)
    this.#told = preflightWithoutImage(observed, wanted, 'node')
    const leftovers = { containers: [], images: [], files: [] }
    return upgradePlan({ run: RUN, wanted, observed, leftovers }).plan
  }

  /** Runs a plan, unless it is killed on the way. */
  async run(signal?: AbortSignal, death?: Death): Promise<string> {
    return await this.agent.begin(await this.plan(), this.#tools(signal), death)
  }

  async resume(death?: Death): Promise<string> {
    return await this.agent.resume(this.#tools(), death)
  }

  powerCycle(): void {
    const { plan, steps } = this.agent.state() ?? {}
    const swapped = steps?.some(
      ({ doing, status }, i) => doing && status !== 'undone' && plan?.steps[i]?.kind === 'swap-container',
    )
    this.#restAtBoot ||= swapped !== true || steps?.at(-1)?.status === 'verified'
    this.node.cut()
    this.routes.held = false
    this.dialGuard.closed.clear()
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
    const upgraded = outcome === 'upgraded'
    const { withPlugins, withConfig, autoRemove } = this.#options
    const flaws = [
      ...this.node.violations,
      ...(['upgraded', 'rolled-back', 'refused', 'nothing'].includes(outcome) ? [] : [`it ended ${outcome}`]),
      ...(this.routes.held ? ['routes are held'] : []),
      ...[...this.dialGuard.closed].map((address) => `${address} is kept from dialling`),
      ...pluginFlaws(this.plugins.files, upgraded && withPlugins === true),
      ...this.cni.flaws(upgraded && withConfig === true),
      ...(this.cluster && clusterNode(this.cluster.node).unschedulable ? ['the Node is cordoned'] : []),
    ]
    const containers = await this.containers()
    if (this.#restsAfterPowerCut() && !containers.some(({ State }) => State.Running)) return flaws
    const image = upgraded ? NEW_IMAGE : OLD_IMAGE
    const policy = this.policy.Name
    const expected = { name: NAME, image, policy, oldId: this.oldId, upgraded, kept: autoRemove !== true }
    return [...flaws, ...containerFlaws(containers, expected)]
  }

  /** Nothing was on trial, and the operator wants no start after a boot. */
  #restsAfterPowerCut(): boolean {
    return this.policy.Name === 'no' && this.#restAtBoot
  }

  #tools(signal?: AbortSignal) {
    return {
      ports: (move: Move) => this.#movingPorts((what, make) => move(what, () => this.#timed(make))),
      emit: (event: AgentEvent) => void this.events.push(event),
      recheck: recheckOf({ ports: this.ports(), signal: new AbortController().signal }, WANTED, this.#told),
      ...(signal && { signal }),
    }
  }

  #movingPorts(move: Move): Ports {
    const ports = this.ports()
    return {
      ...ports,
      docker: withMoves(ports.docker, CHANGES, move),
      bird: withMoves(ports.bird, ['disable', 'enable'], move),
      cni: withMoves(ports.cni, CNI_CHANGES, move),
      configs: withMoves(ports.configs, ['replace', 'restore', 'remove'], move),
      kubelet: withMoves(ports.kubelet, ['restart'], move),
      kubernetes: ports.kubernetes && withMoves(ports.kubernetes, ['patch'], move),
    }
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

  #timeline(image: string, instance: string): Timeline {
    const { newBird, oldBird, deadPeer } = this.#options
    if (oldBird && image === OLD_IMAGE) return oldBird(instance)
    if (newBird && image === NEW_IMAGE) return newBird(instance)
    return restartTimeline(instance, [session(2), session(3), ...(deadPeer === true ? [deadSession(9)] : [])])
  }
}
