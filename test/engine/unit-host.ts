import type { ContainerJson } from '../../agent/core/docker/json.ts'
import { upgradePlan } from '../../agent/core/plan/build.ts'
import type { Plan } from '../../agent/core/plan/plan.ts'
import type { Wanted } from '../../agent/core/wanted.ts'
import { observe } from '../../agent/observe/observe.ts'
import type { Ports } from '../../agent/steps/step.ts'
import { wanted as anyHost } from '../core/observed.ts'
import { restartTimeline, session } from '../fakes/bird.ts'
import { FakeClock } from '../fakes/clock.ts'
import { FakeCniBinaries } from '../fakes/cni-binaries.ts'
import { FakeDatastore } from '../fakes/datastore.ts'
import { FakeDialGuard } from '../fakes/dial-guard.ts'
import { FakeDocker } from '../fakes/docker.ts'
import { FakeKernelRoutes } from '../fakes/kernel-routes.ts'
import { FakeManifests } from '../fakes/manifests.ts'
import { fakeProbe } from '../fakes/probe.ts'
import { FakeSystemd, FakeUnitFiles } from '../fakes/systemd.ts'
import { ConfiguredHost } from './configured-host.ts'
import { KillableRun, RUN } from './killable-run.ts'
import { BIRD_CFG, MESH } from './mesh-config.ts'
import { type Death, type Move, withMoves } from './moves.ts'
import { NodeLife } from './node-life.ts'

export const OLD_IMAGE = 'calico/node:v2.6.5'
export const NEW_IMAGE = 'calico/node:v2.6.12'
export const UNIT_FILE = '/etc/systemd/system/calico-node.service'

export const unitText = (image: string): string =>
  `# ours\n[Service]\nExecStart=/usr/bin/docker run --net=host \\\n  --name=calico-node ${image}\nRestart=always\n`

const WANTED: Wanted = { ...anyHost, windowMs: 20_000, settleMs: 1_000 }

interface Options {
  /** The new container ends by itself so many ms after its start. */
  newExitsAfter?: number
  /** What the unit's file says before the run; the container is of the old image all the same. */
  text?: string
  /** systemd's jobs take their time, and an agent that dies right after it asked for one leaves it behind. */
  slowMs?: number
}

/** A host whose calico/node a unit runs, and an agent that may die on it. */
export class UnitHost {
  readonly ops: string[] = []
  readonly clock = new FakeClock()
  readonly agent = new KillableRun(this.clock, () => [
    this.ops.length,
    this.routes.held,
    this.dialGuard.closed.size,
  ])
  readonly docker = new FakeDocker(this.ops)
  readonly files = new FakeUnitFiles(this.ops)
  readonly systemd = new FakeSystemd(this.docker, this.files, this.ops)
  readonly routes = new FakeKernelRoutes()
  readonly dialGuard = new FakeDialGuard()
  readonly #life: NodeLife
  readonly #options: Options

  private constructor(options: Options) {
    this.#options = options
    const { clock, docker, ops } = this
    this.#life = new NodeLife({
      ...{ clock, docker, ops },
      timeline: (_image, instance) => restartTimeline(instance, [session(2)]),
      newImage: NEW_IMAGE,
      newExitsAfter: options.newExitsAfter,
    })
  }

  static async create(options: Options = {}): Promise<UnitHost> {
    const host = new UnitHost(options)
    for (const image of [OLD_IMAGE, NEW_IMAGE]) host.docker.images.publish(image)
    host.docker.files.set(BIRD_CFG, MESH)
    host.docker.images.pull(OLD_IMAGE, () => undefined)
    host.files.files.set(UNIT_FILE, unitText(OLD_IMAGE))
    await host.systemd.daemonReload()
    await host.systemd.start()
    host.files.files.set(UNIT_FILE, options.text ?? unitText(OLD_IMAGE))
    host.clock.pass(400_000)
    if (options.slowMs !== undefined) host.systemd.slow = { clock: host.clock, ms: options.slowMs }
    host.ops.length = 0
    return host
  }

  async run(death?: Death): Promise<string> {
    const isSlow = this.#options.slowMs !== undefined
    const inFlight = death && isSlow ? { ...death, asked: !death.before } : death
    return await this.agent.begin(await this.#plan(), this.#tools, inFlight)
  }

  async resume(): Promise<string> {
    return await this.agent.resume(this.#tools)
  }

  /** A boot: /run is empty, and systemd starts what the files say. */
  async powerCycle(): Promise<void> {
    this.clock.reboot()
    this.#life.cut()
    this.docker.powerCycle()
    await this.systemd.boot()
    this.routes.held = false
    this.dialGuard.closed.clear()
  }

  async node(): Promise<ContainerJson | undefined> {
    return await this.docker.inspectContainer('calico-node')
  }

  /** In words, what is not as it must be after a run that ended with `outcome`. */
  async flaws(outcome: string): Promise<string[]> {
    const image = outcome === 'upgraded' ? NEW_IMAGE : OLD_IMAGE
    const now = this.#life.container
    await this.clock.sleep(10_000)
    const node = await this.node()
    const untouched = outcome === 'nothing' || outcome === 'refused'
    const text = untouched ? (this.#options.text ?? unitText(OLD_IMAGE)) : unitText(image)
    return [
      ...this.#life.violations,
      ...(['upgraded', 'rolled-back', 'refused', 'nothing'].includes(outcome) ? [] : [`it ended ${outcome}`]),
      ...(node?.State.Running === true ? [] : ['nothing runs']),
      ...(now === this.#life.container ? [] : ['something was still under way']),
      ...(node?.Config.Image === image ? [] : [`${node?.Config.Image ?? 'nothing'} runs`]),
      ...(this.files.files.get(UNIT_FILE) === text ? [] : ['the file is not as it must be']),
      ...(this.files.files.size === 1 ? [] : [`left: ${[...this.files.files.keys()].join(' ')}`]),
      ...(this.routes.held ? ['routes are held'] : []),
      ...[...this.dialGuard.closed].map((address) => `${address} is kept from dialling`),
      ...this.ops.filter((op) => op.startsWith('systemctl TERM')),
    ]
  }

  async #plan(): Promise<Plan> {
    const looking = { emit: () => undefined, signal: new AbortController().signal }
    const observed = await observe(WANTED, this.#ports(), looking, () => null)
    const leftovers = { containers: [], images: [], files: [] }
    return upgradePlan({ run: RUN, wanted: WANTED, observed, leftovers }).plan
  }

  #ports(): Ports {
    const { docker, clock, routes, dialGuard, systemd, files } = this
    const { configs, kubelet } = new ConfiguredHost(this.ops)
    const ports = {
      docker,
      bird: this.#life.bird,
      clock,
      routes,
      dialGuard,
      probe: fakeProbe(),
      datastore: new FakeDatastore(),
      configs,
      kubelet,
    }
    return {
      ...ports,
      cni: new FakeCniBinaries(this.ops),
      systemd,
      unitFiles: files,
      manifests: new FakeManifests(),
      kubernetes: null,
    }
  }

  readonly #tools = {
    ports: (move: Move): Ports => {
      const ports = this.#ports()
      return {
        ...ports,
        systemd: withMoves(ports.systemd, ['daemonReload', 'restart'], move),
        unitFiles: withMoves(ports.unitFiles, ['write', 'remove'], move),
      }
    },
  }
}
