import type { ContainerJson } from '../../agent/core/docker/json.ts'
import { upgradePlan } from '../../agent/core/plan/build.ts'
import { execute } from '../../agent/engine/execute.ts'
import { resume } from '../../agent/engine/resume.ts'
import { observe } from '../../agent/observe/observe.ts'
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
import { fakeProbe } from '../fakes/probe.ts'
import { FakeSystemd } from '../fakes/systemd.ts'
import { ConfiguredHost } from './configured-host.ts'
import { KillableRun } from './killable-run.ts'
import { CHANGES, type Death, withMoves } from './moves.ts'

const RUN = '20261122T141503Z-7f3a'
const NAME = 'calico-kube-controllers'
const [OLD, NEW] = ['calico/kube-controllers:v3.20.0', 'calico/kube-controllers:v3.26.1']
const [OLD_NODE, NEW_NODE] = ['calico/node:v3.20.0', 'calico/node:v3.26.1']

export interface ControllersOptions {
  policy?: string
  autoRemove?: boolean
  liveRestore?: boolean
  /** A calico/node without BIRD is upgraded in the same run. */
  withNode?: boolean
  /** What the new image does; by default it is ready at once. */
  bad?: 'exits' | 'never ready'
  /** Health reports are off, in the old ones as well. */
  silent?: boolean
}

/** A host whose controllers Docker keeps, and the journal of one run on its disk. */
export class ControllersHost {
  readonly ops: string[] = []
  readonly clock = new FakeClock()
  readonly docker = new FakeDocker(this.ops)
  readonly run = new KillableRun(this.clock, () => this.ops.length)
  /** What must never happen, as it happened. */
  readonly violations: string[] = []
  oldId = ''
  readonly #options: ControllersOptions
  readonly #running = new Set<string>()
  readonly #created: string[] = []

  private constructor(options: ControllersOptions) {
    this.#options = options
    const { docker } = this
    docker.liveRestore = options.liveRestore === true
    docker.onExec = ({ Config }) => {
      const fails = options.silent === true || (options.bad === 'never ready' && Config.Image === NEW)
      return { exitCode: fails ? 1 : 0, output: 'not ready' }
    }
    docker.onStart = (container) => {
      this.#started(container)
    }
    docker.onExit = ({ Id }) => {
      this.#running.delete(Id)
    }
    const create = docker.createContainer.bind(docker)
    docker.createContainer = async (name, body) => {
      const id = await create(name, body)
      this.#created.push(id)
      return id
    }
  }

  static async create(options: ControllersOptions = {}): Promise<ControllersHost> {
    const host = new ControllersHost(options)
    const { docker } = host
    for (const image of [OLD, NEW, OLD_NODE, NEW_NODE]) docker.images.publish(image)
    for (const image of [OLD, OLD_NODE]) docker.images.pull(image, () => undefined)
    const body = (Image: string, Name: string) => ({
      Image,
      Env: ['CALICO_NETWORKING_BACKEND=none', 'KUBECONFIG=/etc/kubeconfig'],
      HostConfig: {
        NetworkMode: 'host',
        RestartPolicy: { Name },
        ...(options.autoRemove === true && Image === OLD && { AutoRemove: true }),
      },
    })
    await docker.startContainer(await docker.createContainer('calico-node', body(OLD_NODE, 'always')))
    host.oldId = await docker.createContainer(NAME, body(OLD, host.policy))
    await docker.startContainer(host.oldId)
    host.ops.length = 0
    return host
  }

  get policy(): string {
    return this.#options.policy ?? 'always'
  }

  /** Ids of the controllers that run now. */
  get running(): string[] {
    return [...this.#running]
  }

  async upgrade(death?: Death, signal = new AbortController().signal): Promise<string> {
    const { withNode } = this.#options
    const wanted = {
      ...nothing,
      node: { ...nothing.node, image: withNode === true ? NEW_NODE : null },
      controllers: { ...nothing.controllers, image: NEW },
      settleMs: 1_000,
    }
    const looking = { emit: () => undefined, signal: new AbortController().signal }
    const observed = await observe(wanted, this.ports(), looking, () => null)
    const leftovers = { containers: [], images: [], files: [] }
    const { plan } = upgradePlan({ run: RUN, wanted, observed, leftovers })
    return await this.run.drive(death, async (journal, move, clock) => {
      await journal.append({ type: 'run', order: 1, agent: 'test', plan, problems: [] })
      const ports = { ...this.ports((docker) => withMoves(docker, CHANGES, move)), clock }
      return await execute({ journal, ports, emit: () => undefined, signal })
    })
  }

  async resume(death?: Death): Promise<string> {
    const state = this.run.state()
    if (state === null) return 'nothing'
    if (state.outcome !== null) return state.outcome
    const { signal } = new AbortController()
    return await this.run.drive(death, (journal, move, clock) => {
      const ports = { ...this.ports((docker) => withMoves(docker, CHANGES, move)), clock }
      return resume({ journal, ports, emit: () => undefined, signal })
    })
  }

  powerCycle(): void {
    this.clock.reboot()
    this.docker.powerCycle()
  }

  /** In words, what is not as it must be after a run that ended with `outcome`. */
  async flaws(outcome: string): Promise<string[]> {
    const flaws = [...this.violations]
    const upgraded = outcome === 'upgraded'
    if (!['upgraded', 'partial', 'rolled-back', 'refused', 'nothing'].includes(outcome))
      flaws.push(`it ended ${outcome}`)
    const inspected = await Promise.all(this.#created.map((id) => this.docker.inspectContainer(id)))
    const all = inspected.filter((one) => one !== undefined)
    const controllers = all.filter(({ Config }) => isControllers(Config.Image))
    flaws.push(...flawsOf(controllers, upgraded ? NEW : OLD, { name: NAME, policy: this.policy }))
    const nodeUpgraded = this.#options.withNode === true && (upgraded || outcome === 'partial')
    const nodes = all.filter(({ Config }) => !isControllers(Config.Image))
    flaws.push(
      ...flawsOf(nodes, nodeUpgraded ? NEW_NODE : OLD_NODE, { name: 'calico-node', policy: 'always' }),
    )
    return flaws
  }

  ports(decorate: (docker: FakeDocker) => FakeDocker = (docker) => docker): Ports {
    const { clock } = this
    const { configs, kubelet } = new ConfiguredHost([])
    const bird = new FakeBird({
      clock,
      running: () => undefined,
      timeline: () => restartTimeline('none', []),
    })
    const systemd = new FakeSystemd(this.docker)
    const rest = { cni: new FakeCniBinaries([]), configs, kubelet, systemd, unitFiles: systemd.files }
    const manifests = new FakeManifests()
    return {
      ...{ docker: decorate(this.docker), bird, clock, probe: fakeProbe() },
      kubernetes: null,
      ...{ routes: new FakeKernelRoutes(), dialGuard: new FakeDialGuard() },
      ...{
        docker: decorate(this.docker),
        bird,
        clock,
        probe: fakeProbe(),
        datastore: new FakeDatastore(),
        routes: new FakeKernelRoutes(),
      },
      ...rest,
      manifests,
    }
  }

  #started({ Id, Config }: ContainerJson): void {
    if (!isControllers(Config.Image)) return
    if (this.#running.size > 0) this.violations.push(`${Config.Image} started beside another`)
    this.#running.add(Id)
    if (this.#options.bad !== 'exits' || Config.Image !== NEW) return
    void this.clock.sleep(1_000).then(() => {
      if (this.#running.has(Id)) this.docker.exit(Id, 1)
    })
  }
}

function isControllers(image: string): boolean {
  return image.includes('controllers')
}

/** One of the image runs under the name and the policy, and beside it at most the way back. */
function flawsOf(all: ContainerJson[], image: string, { name, policy }: { name: string; policy: string }) {
  const [one, ...more] = all.filter(({ State }) => State.Running)
  if (one === undefined || more.length > 0)
    return [`${more.length + Number(one !== undefined)} of ${name} run`]
  return [
    ...(one.Config.Image === image ? [] : [`${one.Config.Image} runs`]),
    ...(one.Name === `/${name}` ? [] : [`${one.Name} runs`]),
    ...(one.HostConfig.RestartPolicy.Name === policy ? [] : [`${name} has another restart policy`]),
    ...all
      .filter((other) => other !== one)
      .filter(
        (other) => other.Name !== `/${name}-parked-${RUN}` || other.HostConfig.RestartPolicy.Name !== 'no',
      )
      .map((other) => `${other.Name} is left`),
  ]
}
