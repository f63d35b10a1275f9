import type { AgentEvent } from '../../agent/core/events.ts'
import { keysPatch } from '../../agent/core/kubernetes/config-map.ts'
import { TEMPLATE_ANNOTATION } from '../../agent/core/kubernetes/daemon-set.ts'
import { CONFIG_ANNOTATION } from '../../agent/core/kubernetes/marks.ts'
import { clusterNode } from '../../agent/core/kubernetes/node.ts'
import { upgradePlan } from '../../agent/core/plan/build.ts'
import type { Plan } from '../../agent/core/plan/plan.ts'
import type { Wanted } from '../../agent/core/wanted.ts'
import { observe } from '../../agent/observe/observe.ts'
import type { Ports } from '../../agent/steps/step.ts'
import { wanted as anyHost } from '../core/observed.ts'
import { restartTimeline, session, type Timeline } from '../fakes/bird.ts'
import { FakeClock } from '../fakes/clock.ts'
import { FakeCluster } from '../fakes/cluster.ts'
import { FakeCniBinaries } from '../fakes/cni-binaries.ts'
import { FakeDatastore } from '../fakes/datastore.ts'
import { FakeDialGuard } from '../fakes/dial-guard.ts'
import { FakeDocker } from '../fakes/docker.ts'
import { FakeHostedKubelet } from '../fakes/hosted-kubelet.ts'
import { FakeKernelRoutes } from '../fakes/kernel-routes.ts'
import { FakeManifests } from '../fakes/manifests.ts'
import { fakePodRuntime } from '../fakes/pod-runtime.ts'
import { fakeProbe } from '../fakes/probe.ts'
import { FakeSystemd } from '../fakes/systemd.ts'
import { ConfiguredHost } from './configured-host.ts'
import { CNI, clusterFlaws, imageAsked, MARK, NEW, NEW_MTU, OLD, OLD_MTU } from './hosted-flaws.ts'
import { manifestOf, markedTemplate, prepareObjects } from './hosted-manifest.ts'
import type { HostedOptions } from './hosted-options.ts'
import { KillableRun, RUN } from './killable-run.ts'
import { BIRD_CFG, MESH } from './mesh-config.ts'
import { CHANGES, type Death, type Move, withMoves } from './moves.ts'
import { NodeLife } from './node-life.ts'

export const HOSTED: Wanted = {
  ...anyHost,
  node: { ...anyHost.node, image: NEW },
  kubernetes: { cordon: true },
  windowMs: 20_000,
  settleMs: 1_000,
}

const MANIFEST = manifestOf({ node: NEW, cni: CNI })

/** A host whose calico/node a DaemonSet keeps, with its kubelet and its cluster, and an agent that may die on it. */
export class HostedHost {
  readonly ops: string[] = []
  readonly events: AgentEvent[] = []
  readonly clock = new FakeClock()
  readonly agent = new KillableRun(this.clock, () => [
    this.ops.length,
    this.routes.held,
    this.dialGuard.closed.size,
    this.cluster.set,
    this.cluster.pods,
  ])
  readonly docker = new FakeDocker(this.ops)
  readonly cluster: FakeCluster
  readonly kubelet = new FakeHostedKubelet(this.docker, this.clock, 'calico-node')
  readonly node: NodeLife
  readonly routes = new FakeKernelRoutes()
  readonly dialGuard = new FakeDialGuard(this.ops)
  readonly #files = new ConfiguredHost(this.ops)
  readonly #options: HostedOptions
  readonly #admitted = (image: string): string => this.#options.admission?.(image) ?? image
  /** The container before the run. */
  #first: string | undefined

  private constructor(options: HostedOptions) {
    this.#options = options
    const { clock, docker, ops, kubelet } = this
    this.cluster = new FakeCluster('host-1', clock, { node: OLD, cni: CNI })
    if (!options.admitsLate) this.cluster.admission = this.#admitted
    this.cluster.onPod = {
      added: (pod) => {
        kubelet.added(pod)
      },
      gone: (pod) => {
        void kubelet.gone(pod)
      },
    }
    const timeline = (image: string, instance: string): Timeline =>
      options.newBird && image === this.#admitted(NEW)
        ? options.newBird(instance)
        : restartTimeline(instance, [session(2), session(3)], options.times)
    this.node = new NodeLife({
      ...{ clock, docker, ops, timeline, newImage: this.#admitted(NEW) },
      newExitsAfter: options.newExitsAfter,
    })
    docker.date = () => clock.date()
    const exited = docker.onExit
    docker.onExit = (container) => {
      exited(container)
      kubelet.ended(container.Id)
    }
  }

  /** With the old calico/node long since recovered. */
  static async create(options: HostedOptions = {}): Promise<HostedHost> {
    const host = new HostedHost(options)
    const { docker, clock, cluster, kubelet } = host
    docker.files.set(BIRD_CFG, MESH)
    kubelet.env = () => [`MTU=${cluster.configMap.data?.['veth_mtu'] ?? ''}`]
    for (const image of [OLD, NEW]) {
      docker.images.publish(image)
      docker.images.publish(host.#admitted(image), options.mirrorDiffers ? {} : docker.images.remote(image))
    }
    docker.images.pull(cluster.admission(OLD), () => undefined)
    if (options.other === 'to come') cluster.addOther('host-2', OLD)
    if (options.unknown === true) host.kubelet.unknown.add(NEW)
    if (options.manifest) prepareObjects(cluster, options.other === 'done')
    cluster.sync()
    while (host.node.container === undefined) await clock.sleep(1_000)
    if (options.other === 'done') host.#beginRollout()
    await clock.sleep(400_000)
    host.#first = host.node.container
    cluster.admission = host.#admitted
    host.ops.length = 0
    cluster.violations.length = 0
    return host
  }

  /** As an agent on the other host has left it. */
  #beginRollout(): void {
    this.cluster.edit(({ metadata, spec }) => {
      const { updateStrategy: strategy, template } = spec
      const mark = { run: 'of another host', generation: metadata.generation + 1, strategy }
      metadata.annotations = { [TEMPLATE_ANNOTATION]: JSON.stringify(mark) }
      spec.updateStrategy = { type: 'OnDelete' }
      if (this.#image !== OLD)
        template.spec.containers = template.spec.containers.map((one) => ({ ...one, image: NEW }))
      if (this.#options.config) template.metadata = { annotations: { [CONFIG_ANNOTATION]: MARK } }
      if (this.#options.manifest) spec.template = markedTemplate(MANIFEST)
    })
    this.cluster.addOther('host-2', this.#image, this.cluster.set.spec.template.metadata?.annotations)
    if (!this.#options.config) return
    const change = { before: { veth_mtu: OLD_MTU }, after: { veth_mtu: NEW_MTU }, mark: MARK }
    this.cluster.writeConfig(keysPatch(this.cluster.configMap, change))
  }

  get #image(): string {
    return imageAsked(this.#options)
  }

  get #wanted(): Wanted {
    const { config } = this.#options
    return {
      ...HOSTED,
      node: { ...HOSTED.node, image: config === 'alone' ? null : NEW },
      configMap: config ? { keys: { veth_mtu: NEW_MTU }, mark: MARK } : null,
      manifest: this.#options.manifest ? MANIFEST : null,
    }
  }

  ports(): Ports {
    const { clock, routes, dialGuard } = this
    const docker = this.#options.containerd ? fakePodRuntime(this.docker, clock, this.cluster) : this.docker
    const systemd = new FakeSystemd(this.docker)
    const { configs, kubelet } = this.#files
    return {
      ...{ docker, clock, routes, dialGuard, bird: this.node.bird, kubernetes: this.cluster },
      ...{ probe: fakeProbe(), datastore: new FakeDatastore(), cni: new FakeCniBinaries([]) },
      ...{ configs, kubelet, systemd, unitFiles: systemd.files, manifests: new FakeManifests() },
    }
  }

  async plan(): Promise<Plan> {
    const looking = { emit: () => undefined, signal: new AbortController().signal }
    const wanted = this.#wanted
    const observed = await observe(wanted, this.ports(), looking, () => null)
    const leftovers = { containers: [], images: [], files: [] }
    return upgradePlan({ run: RUN, wanted, observed, leftovers }).plan
  }

  async run(death?: Death, signal?: AbortSignal): Promise<string> {
    return await this.agent.begin(await this.plan(), this.#tools(signal), death)
  }

  async resume(death?: Death): Promise<string> {
    return await this.agent.resume(this.#tools(), death)
  }

  powerCycle(): void {
    this.node.cut()
    this.routes.held = false
    this.dialGuard.closed.clear()
    this.clock.reboot()
    this.docker.powerCycle()
    this.restartKubelet()
    this.cluster.sync()
  }

  /** What it missed it learns from the API server. */
  restartKubelet(): void {
    this.kubelet.isAsleep = false
    this.kubelet.restart(this.cluster.pods.filter(({ spec }) => spec.nodeName === 'host-1'))
  }

  /** What the report says. */
  get problems(): string[] {
    return (this.agent.state()?.problems ?? []).map(({ code, message }) => `${code}: ${message}`)
  }

  /** In words, what is not as it must be after a run that ended with `outcome`. */
  async flaws(outcome: string): Promise<string[]> {
    await this.clock.sleep(60_000)
    const image = this.#admitted(outcome === 'upgraded' ? this.#image : OLD)
    const running = await this.docker.runningContainers()
    const runs = running.map((one) => one.image).join()
    const container = await this.docker.inspectContainer(this.node.container ?? '')
    return [
      ...this.node.violations,
      ...this.kubelet.violations,
      ...this.cluster.violations,
      ...(['upgraded', 'rolled-back', 'refused', 'nothing'].includes(outcome)
        ? []
        : [`it ended ${outcome}: ${this.problems.join('; ')}`]),
      ...(runs === image ? [] : [`there run: ${runs}`]),
      ...(this.routes.held ? ['routes are held'] : []),
      ...[...this.dialGuard.closed].map((address) => `${address} is kept from dialling`),
      ...(clusterNode(this.cluster.node).unschedulable ? ['the Node is cordoned'] : []),
      ...clusterFlaws(this.cluster, this.#options, {
        outcome,
        isMoved: !running.some(({ id }) => id === this.#first),
        env: container?.Config.Env ?? [],
      }),
    ]
  }

  #tools(signal?: AbortSignal) {
    return {
      ports: (move: Move): Ports => {
        const ports = this.ports()
        return {
          ...ports,
          docker: withMoves(ports.docker, CHANGES, move),
          kubernetes:
            ports.kubernetes &&
            withMoves(ports.kubernetes, ['patch', 'remove', 'applyObject', 'patchObject'], move),
        }
      },
      emit: (event: AgentEvent) => void this.events.push(event),
      ...(signal && { signal }),
    }
  }
}
