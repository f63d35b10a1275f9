import { upgradePlan } from '../../agent/core/plan/build.ts'
import type { Plan } from '../../agent/core/plan/plan.ts'
import { preflight } from '../../agent/core/preflight.ts'
import { observe } from '../../agent/observe/observe.ts'
import type { Ports } from '../../agent/steps/step.ts'
import { configMapOf } from '../core/daemon-set.ts'
import { wanted as nothing } from '../core/observed.ts'
import { FakeBird, restartTimeline } from '../fakes/bird.ts'
import { FakeClock } from '../fakes/clock.ts'
import { FakeCniBinaries } from '../fakes/cni-binaries.ts'
import { FakeDatastore } from '../fakes/datastore.ts'
import { FakeDialGuard } from '../fakes/dial-guard.ts'
import { FakeDocker } from '../fakes/docker.ts'
import { FakeKernelRoutes } from '../fakes/kernel-routes.ts'
import { FakeDeployment } from '../fakes/kubernetes-deployment.ts'
import { type Fate } from '../fakes/kubernetes-deployment-objects.ts'
import { FakeManifests } from '../fakes/manifests.ts'
import { fakeProbe } from '../fakes/probe.ts'
import { FakeSystemd } from '../fakes/systemd.ts'
import { ConfiguredHost } from './configured-host.ts'
import { KillableRun, RUN } from './killable-run.ts'
import { type Death, type Move, withMoves } from './moves.ts'

export const [OLD, NEW] = ['calico/kube-controllers:v3.20.0', 'calico/kube-controllers:v3.26.1']

export interface DeploymentOptions {
  strategy?: 'RollingUpdate' | 'Recreate'
  /** What becomes of the new image's pods. */
  fate?: Fate
}

/** A host without a container of the controllers, whose cluster has a Deployment of them. */
export class DeploymentHost {
  readonly clock = new FakeClock()
  readonly docker = new FakeDocker([])
  readonly cluster: FakeDeployment
  readonly agent = new KillableRun(this.clock, () => this.cluster.version)
  readonly strategy: string

  constructor({ strategy = 'RollingUpdate', fate = 'runs' }: DeploymentOptions = {}) {
    this.strategy = strategy
    this.cluster = new FakeDeployment(this.clock, OLD, strategy)
    this.cluster.fates.set(NEW, fate)
    for (const image of [OLD, NEW]) this.docker.images.publish(image)
  }

  async look(image = NEW) {
    const controllers = { ...nothing.controllers, image, manager: 'deployment' as const }
    const node = { ...nothing.node, image: null }
    const wanted = { ...nothing, node, controllers, kubernetes: { cordon: false }, settleMs: 1_000 }
    const looking = { emit: () => undefined, signal: new AbortController().signal }
    return { wanted, observed: await observe(wanted, this.ports(), looking, () => null) }
  }

  /** Codes of what the rules have against it. */
  async objections(image = NEW): Promise<string[]> {
    const { observed, wanted } = await this.look(image)
    return preflight(observed, wanted).map(({ code, severity }) => `${severity} ${code}`)
  }

  async plan(image = NEW): Promise<Plan> {
    const leftovers = { containers: [], images: [], files: [] }
    return upgradePlan({ run: RUN, ...(await this.look(image)), leftovers }).plan
  }

  /** Has the controllers read another config, with the image as it is. */
  async planConfig(): Promise<Plan> {
    const { wanted, observed } = await this.look(OLD)
    const configMap = configMapOf({ log_level: 'debug' }, { log_level: 'info' })
    const asked = { ...observed, controllersImage: null, configMap }
    const leftovers = { containers: [], images: [], files: [] }
    return upgradePlan({ run: RUN, wanted, observed: asked, leftovers }).plan
  }

  async upgrade(death?: Death, signal = new AbortController().signal): Promise<string> {
    const ports = (move: Move): Ports => this.ports(move)
    return await this.agent.begin(await this.plan(), { ports, signal }, death)
  }

  async resume(death?: Death): Promise<string> {
    return await this.agent.resume({ ports: (move) => this.ports(move) }, death)
  }

  /** In words, what is not as it must be after a run that ended with `outcome`. */
  async flaws(outcome: string): Promise<string[]> {
    await this.clock.sleep(5_000)
    const isNew = outcome === 'upgraded'
    const image = isNew ? NEW : OLD
    const { running, spec, violations, annotations } = this.cluster
    const type = isNew ? 'Recreate' : this.strategy
    return [
      ...violations,
      ...(['upgraded', 'rolled-back', 'refused', 'nothing'].includes(outcome) ? [] : [`it ended ${outcome}`]),
      ...(running.join() === image ? [] : [`there run: ${running.join()}`]),
      ...(spec.image === image ? [] : [`the template names ${spec.image}`]),
      ...(spec.strategy.type === type ? [] : [`its strategy is ${spec.strategy.type}`]),
      ...(type === 'RollingUpdate' && !spec.strategy.rollingUpdate ? ['rollingUpdate is lost'] : []),
      ...(isNew || Object.keys(annotations).length === 0 ? [] : ['an annotation is left']),
    ]
  }

  ports(move?: Move): Ports & { kubernetes: FakeDeployment } {
    const { clock, docker } = this
    const { configs, kubelet } = new ConfiguredHost([])
    const systemd = new FakeSystemd(docker)
    const bird = new FakeBird({
      clock,
      running: () => undefined,
      timeline: () => restartTimeline('none', []),
    })
    return {
      ...{ docker, bird, clock, configs, kubelet, systemd, unitFiles: systemd.files },
      ...{ probe: fakeProbe(), datastore: new FakeDatastore(), routes: new FakeKernelRoutes() },
      ...{ dialGuard: new FakeDialGuard(), cni: new FakeCniBinaries([]), manifests: new FakeManifests() },
      kubernetes: move ? withMoves(this.cluster, ['patch', 'get'], move) : this.cluster,
    }
  }
}
