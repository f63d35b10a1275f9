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
import { FakeSystemd, FakeUnitFiles } from '../fakes/systemd.ts'
import { ConfiguredHost } from './configured-host.ts'
import { KillableRun } from './killable-run.ts'
import { CHANGES, type Death, type Move, withMoves } from './moves.ts'

const RUN = '20261122T141503Z-7f3a'
const NAME = 'calico-kube-controllers'
export const [OLD, NEW] = ['calico/kube-controllers:v3.20.0', 'calico/kube-controllers:v3.26.1'] as const
export const UNIT_FILE = `/etc/systemd/system/${NAME}.service`

export const unitText = (image: string): string =>
  `# ours\n[Service]\nExecStart=/usr/bin/docker run --net=host \\\n  --name=${NAME} ${image}\nRestart=always\n`

const WANTED = {
  ...nothing,
  node: { ...nothing.node, image: null },
  controllers: { ...nothing.controllers, image: NEW },
  settleMs: 1_000,
}

export interface UnitOptions {
  /** What the new image does; by default it is ready at once. */
  bad?: 'exits' | 'never ready'
  /** Health reports are off, in the old ones as well. */
  silent?: boolean
  /** What the unit's file says before the run; the container is of the old image all the same. */
  text?: string
  /** systemd's jobs take their time, and an agent that dies right after it asked for one leaves it behind. */
  slowMs?: number
}

/** A host whose controllers a unit runs, and the journal of one run on its disk. */
export class ControllersUnitHost {
  readonly ops: string[] = []
  readonly clock = new FakeClock()
  readonly docker = new FakeDocker(this.ops)
  readonly files = new FakeUnitFiles(this.ops)
  readonly systemd = new FakeSystemd(this.docker, this.files, this.ops, NAME)
  readonly run = new KillableRun(this.clock, () => this.ops.length)
  /** What must never happen, as it happened. */
  readonly violations: string[] = []
  readonly #options: UnitOptions
  readonly #running = new Map<string, string>()

  private constructor(options: UnitOptions) {
    this.#options = options
    const { docker, clock } = this
    docker.onExec = ({ Config }) => {
      const fails = options.silent === true || (options.bad === 'never ready' && Config.Image === NEW)
      return { exitCode: fails ? 1 : 0, output: 'not ready' }
    }
    docker.onStart = ({ Id, Config }) => {
      if (this.#running.size > 0) this.violations.push(`${Config.Image} started beside another`)
      this.#running.set(Id, Config.Image)
      if (options.bad !== 'exits' || Config.Image !== NEW) return
      void clock.sleep(1_000).then(() => {
        if (this.#running.has(Id)) docker.exit(Id, 1)
      })
    }
    docker.onExit = ({ Id }) => {
      this.#running.delete(Id)
    }
  }

  static async create(options: UnitOptions = {}): Promise<ControllersUnitHost> {
    const host = new ControllersUnitHost(options)
    const { docker, systemd, files } = host
    for (const image of [OLD, NEW]) docker.images.publish(image)
    docker.images.pull(OLD, () => undefined)
    files.files.set(UNIT_FILE, unitText(OLD))
    await systemd.daemonReload()
    await systemd.start()
    files.files.set(UNIT_FILE, options.text ?? unitText(OLD))
    if (options.slowMs !== undefined) systemd.slow = { clock: host.clock, ms: options.slowMs }
    host.ops.length = 0
    return host
  }

  /** Images of the controllers that run now. */
  get running(): string[] {
    return [...this.#running.values()]
  }

  async upgrade(death?: Death): Promise<string> {
    const isSlow = this.#options.slowMs !== undefined
    const inFlight = death && isSlow ? { ...death, asked: !death.before } : death
    const looking = { emit: () => undefined, signal: new AbortController().signal }
    const observed = await observe(WANTED, this.#ports(), looking, () => null)
    const leftovers = { containers: [], images: [], files: [] }
    const { plan } = upgradePlan({ run: RUN, wanted: WANTED, observed, leftovers })
    return await this.run.drive(inFlight, async (journal, move, clock) => {
      await journal.append({ type: 'run', order: 1, agent: 'test', plan, problems: [] })
      const ports = { ...this.#ports(move), clock }
      return await execute({ journal, ports, emit: () => undefined, signal: new AbortController().signal })
    })
  }

  async resume(): Promise<string> {
    const state = this.run.state()
    if (state === null) return 'nothing'
    if (state.outcome !== null) return state.outcome
    return await this.run.drive(undefined, (journal, move, clock) => {
      const ports = { ...this.#ports(move), clock }
      return resume({ journal, ports, emit: () => undefined, signal: new AbortController().signal })
    })
  }

  async powerCycle(): Promise<void> {
    this.clock.reboot()
    this.#running.clear()
    this.docker.powerCycle()
    await this.systemd.boot()
  }

  /** In words, what is not as it must be after a run that ended with `outcome`, now and for good. */
  async flaws(outcome: string): Promise<string[]> {
    const now = [...this.#running.keys()].join()
    await this.clock.sleep(200_000)
    const later = [...this.#running.keys()].join()
    const image = outcome === 'upgraded' ? NEW : OLD
    const isTouched = this.ops.some((op) => op.startsWith('systemctl restart'))
    const text = isTouched ? unitText(image) : (this.#options.text ?? unitText(OLD))
    const state = await this.systemd.show(`${NAME}.service`)
    return [
      ...this.violations,
      ...(['upgraded', 'rolled-back', 'refused', 'nothing'].includes(outcome) ? [] : [`it ended ${outcome}`]),
      ...(this.running.join() === image ? [] : [`${this.running.join(' and ') || 'nothing'} runs`]),
      ...(now === later ? [] : ['something was still under way']),
      ...(this.files.files.get(UNIT_FILE) === text ? [] : ['the file is not as it must be']),
      ...(this.files.files.size === 1 ? [] : [`left: ${[...this.files.files.keys()].join(' ')}`]),
      ...(isTouched && state?.needsReload !== false ? ['systemd has not read it'] : []),
      ...this.ops.filter((op) => op.startsWith('systemctl TERM')),
    ]
  }

  #ports(move?: Move): Ports {
    const { clock, docker, systemd, files } = this
    const { configs, kubelet } = new ConfiguredHost([])
    const bird = new FakeBird({
      clock,
      running: () => undefined,
      timeline: () => restartTimeline('none', []),
    })
    const kernel = { routes: new FakeKernelRoutes(), dialGuard: new FakeDialGuard() }
    const outside = { probe: fakeProbe(), datastore: new FakeDatastore(), kubernetes: null }
    const rest = { bird, clock, ...outside, ...kernel, configs, kubelet }
    const ports = { ...rest, cni: new FakeCniBinaries([]), manifests: new FakeManifests() }
    if (!move) return { ...ports, docker, systemd, unitFiles: files }
    return {
      ...ports,
      docker: withMoves(docker, CHANGES, move),
      systemd: withMoves(systemd, ['daemonReload', 'restart'], move),
      unitFiles: withMoves(files, ['write', 'remove'], move),
    }
  }
}
