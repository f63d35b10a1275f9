import type { ContainerJson } from '../../agent/core/docker/json.ts'
import { upgradePlan } from '../../agent/core/plan/build.ts'
import { execute } from '../../agent/engine/execute.ts'
import { resume } from '../../agent/engine/resume.ts'
import { observe } from '../../agent/observe/observe.ts'
import type { CniConfigs } from '../../agent/ports/cni-config.ts'
import type { Ports } from '../../agent/steps/step.ts'
import { wanted as nothing } from '../core/observed.ts'
import { FakeBird, restartTimeline } from '../fakes/bird.ts'
import { FakeClock } from '../fakes/clock.ts'
import { FakeCniBinaries } from '../fakes/cni-binaries.ts'
import { FakeDatastore } from '../fakes/datastore.ts'
import { FakeDialGuard } from '../fakes/dial-guard.ts'
import { FakeDocker } from '../fakes/docker.ts'
import { FakeKernelRoutes } from '../fakes/kernel-routes.ts'
import { FakeManifests } from '../fakes/manifests.ts'
import { FakePodKubelet } from '../fakes/pod-kubelet.ts'
import { fakeProbe } from '../fakes/probe.ts'
import { FakeSystemd } from '../fakes/systemd.ts'
import { ConfiguredHost } from './configured-host.ts'
import { KillableRun } from './killable-run.ts'
import { CHANGES, type Death, type Move, withMoves } from './moves.ts'

const RUN = '20261122T141503Z-7f3a'
const [OLD, NEW] = ['calico/kube-controllers:v3.20.0', 'calico/kube-controllers:v3.26.1']
export const PATH = '/etc/kubernetes/manifests/controllers.yaml'
export const WAY_BACK = `/etc/kubernetes/manifests/.controllers.yaml.calico-agent-${RUN}.old`
const ATTRIBUTES = { mode: 0o640, uid: 0, gid: 42 }

export const manifestText = (image: string): string =>
  `kind: Pod\nmetadata:\n  name: calico-kube-controllers\n  namespace: kube-system\nspec:\n  terminationGracePeriodSeconds: 5\n  containers:\n  - name: calico-kube-controllers\n    image: ${image} # ours\n`

/** What the new image does; `silent`: health reports are off, in the old ones as well. */
export type Bad = 'exits' | 'never ready' | 'silent'

/** A host whose controllers the kubelet keeps as a static pod, and the journal of one run on its disk. */
export class StaticPodHost {
  readonly ops: string[] = []
  readonly clock = new FakeClock()
  readonly docker = new FakeDocker(this.ops)
  readonly manifests = new FakeManifests(this.ops)
  readonly pods = new FakePodKubelet(this.docker, this.clock, this.manifests)
  readonly systemd = new ConfiguredHost([])
  readonly run = new KillableRun(this.clock, () => this.ops.length)
  /** What must never happen, as it happened. */
  readonly violations: string[] = []
  readonly #bad: Bad | undefined
  readonly #running = new Map<string, string>()

  private constructor(bad: Bad | undefined) {
    this.#bad = bad
    this.docker.date = () => this.clock.date()
    this.docker.onExec = ({ Config }) => {
      const fails = bad === 'silent' || (bad === 'never ready' && Config.Image === NEW)
      return { exitCode: fails ? 1 : 0, output: 'not ready' }
    }
    this.docker.onStart = (container) => {
      this.#started(container)
    }
    this.docker.onExit = ({ Id }) => {
      this.#running.delete(Id)
      this.pods.ended(Id)
    }
  }

  static async create(bad?: Bad): Promise<StaticPodHost> {
    const host = new StaticPodHost(bad)
    for (const image of [OLD, NEW]) host.docker.images.publish(image)
    host.docker.images.pull(OLD, () => undefined)
    await host.manifests.put(PATH, manifestText(OLD), ATTRIBUTES)
    // the kubelet's first look loads the parser, which takes time of its own
    while (host.running.length === 0) await host.clock.sleep(1_000)
    host.ops.length = 0
    return host
  }

  /** Images of the controllers that run now. */
  get running(): string[] {
    return [...this.#running.values()]
  }

  async upgrade(death?: Death, signal = new AbortController().signal): Promise<string> {
    const wanted = {
      ...nothing,
      node: { ...nothing.node, image: null },
      controllers: { ...nothing.controllers, image: NEW },
      settleMs: 1_000,
    }
    const looking = { emit: () => undefined, signal: new AbortController().signal }
    const observed = await observe(wanted, this.#ports(), looking, () => null)
    const leftovers = { containers: [], images: [], files: [] }
    const { plan } = upgradePlan({ run: RUN, wanted, observed, leftovers })
    return await this.run.drive(death, async (journal, move, clock) => {
      await journal.append({ type: 'run', order: 1, agent: 'test', plan, problems: [] })
      return await execute({ journal, ports: { ...this.#ports(move), clock }, emit: () => undefined, signal })
    })
  }

  async resume(death?: Death): Promise<string> {
    const state = this.run.state()
    if (state === null) return 'nothing'
    if (state.outcome !== null) return state.outcome
    const { signal } = new AbortController()
    return await this.run.drive(death, (journal, move, clock) =>
      resume({ journal, ports: { ...this.#ports(move), clock }, emit: () => undefined, signal }),
    )
  }

  async powerCycle(): Promise<void> {
    this.clock.reboot()
    this.docker.powerCycle()
    await this.pods.boot()
  }

  /** In words, what is not as it must be after a run that ended with `outcome`. */
  async flaws(outcome: string): Promise<string[]> {
    await this.clock.sleep(20_000)
    const image = outcome === 'upgraded' ? NEW : OLD
    const { text, ...attributes } = this.manifests.files.get(PATH) ?? {}
    const others = [...this.manifests.files.keys()].filter((path) => path !== PATH)
    return [
      ...this.violations,
      ...(['upgraded', 'rolled-back', 'refused', 'nothing'].includes(outcome) ? [] : [`it ended ${outcome}`]),
      ...(this.running.join() === image ? [] : [`there run: ${this.running.join()}`]),
      ...(text === manifestText(image) ? [] : [`the manifest is ${text ?? 'gone'}`]),
      ...(JSON.stringify(attributes) === JSON.stringify(ATTRIBUTES) ? [] : ['it has other attributes']),
      ...others.map((path) => `${path} is left`),
    ]
  }

  #ports(move?: Move): Ports {
    const { clock } = this
    const { configs, kubelet } = this.systemd
    const bird = new FakeBird({
      clock,
      running: () => undefined,
      timeline: () => restartTimeline('none', []),
    })
    const docker = move ? withMoves(this.docker, CHANGES, move) : this.docker
    const changes = ['takeOut', 'put', 'remove', 'bringBack'] as const
    const manifests = move ? withMoves(this.manifests, [...changes], move) : this.manifests
    const systemd = new FakeSystemd(this.docker)
    const rest = { cni: new FakeCniBinaries([]), systemd, unitFiles: systemd.files }
    return {
      ...{ docker, bird, clock, probe: fakeProbe(), ...rest },
      ...{ routes: new FakeKernelRoutes(), dialGuard: new FakeDialGuard() },
      ...{
        docker,
        bird,
        clock,
        probe: fakeProbe(),
        datastore: new FakeDatastore(),
        kubernetes: null,
        routes: new FakeKernelRoutes(),
        ...rest,
      },
      ...{ configs: this.#besideManifests(configs, move), kubelet, manifests },
    }
  }

  /** A commit removes what was kept beside a manifest as it does beside a CNI config. */
  #besideManifests(configs: CniConfigs, move: Move | undefined): CniConfigs {
    const remove = (path: string) => this.manifests.remove(path)
    const own: Partial<CniConfigs> = {
      remove: (path) => (move ? move('remove', () => remove(path)) : remove(path)),
      exists: async (path) => (await this.manifests.read(path)) !== null,
    }
    return new Proxy(configs, {
      get: (target, key) => Reflect.get(Object.hasOwn(own, key) ? own : target, key) as unknown,
    })
  }

  #started({ Id, Config }: ContainerJson): void {
    if (this.#running.size > 0) this.violations.push(`${Config.Image} started beside ${this.running.join()}`)
    this.#running.set(Id, Config.Image)
    if (this.#bad !== 'exits' || Config.Image !== NEW) return
    void this.clock.sleep(1_000).then(() => {
      if (this.#running.has(Id)) this.docker.exit(Id, 1)
    })
  }
}
