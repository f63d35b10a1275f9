import { upgradePlan } from '../../agent/core/build-plan.ts'
import type { ContainerJson } from '../../agent/core/docker-json.ts'
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
import { FakeBird, type Running, restartTimeline, session } from '../fakes/bird.ts'
import { FakeClock } from '../fakes/clock.ts'
import { FakeCniBinaries } from '../fakes/cni-binaries.ts'
import { FakeDocker } from '../fakes/docker.ts'
import { FakeKernelRoutes } from '../fakes/kernel-routes.ts'
import { fakeProbe } from '../fakes/probe.ts'
import { FakeSystemd, FakeUnitFiles } from '../fakes/systemd.ts'
import { ConfiguredHost } from './configured-host.ts'
import { journalOn, Mortal } from './mortal.ts'
import { type Death, withMoves } from './moves.ts'

const RUN = '20261122T141503Z-7f3a'
const OLD_IMAGE = 'calico/node:v2.6.5'
export const NEW_IMAGE = 'calico/node:v2.6.12'
export const UNIT_FILE = '/etc/systemd/system/calico-node.service'

export const unitText = (image: string): string =>
  `# ours\n[Service]\nExecStart=/usr/bin/docker run --net=host \\\n  --name=calico-node ${image}\nRestart=always\n`

const WANTED: Wanted = {
  node: { image: NEW_IMAGE, container: 'calico-node', manager: 'auto' },
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
  release: null,
  places: { binDir: '/opt/cni/bin', configDir: '/etc/cni/net.d', configFile: null },
  birdSockets: ['/var/run/calico/bird.ctl'],
  windowMs: 20_000,
  settleMs: 1_000,
  keepImages: 1,
  allow: [],
}

const ENDPOINT = { family: 4, socket: '/var/run/calico/bird.ctl', via: 'host' } as const
const KILLED = 137

interface Options {
  /** The new container ends by itself so many ms after its start. */
  newExitsAfter?: number
  /** What the unit's file says before the run; the container is of the old image all the same. */
  text?: string
}

/** A host whose calico/node a unit runs, and the journal of one run on its disk. */
export class UnitHost {
  readonly ops: string[] = []
  readonly clock = new FakeClock()
  readonly docker = new FakeDocker(this.ops)
  readonly files = new FakeUnitFiles(this.ops)
  readonly systemd = new FakeSystemd(this.docker, this.files, this.ops)
  readonly routes = new FakeKernelRoutes()
  text = ''
  moves = 0
  readonly #bird = new FakeBird({
    clock: this.clock,
    running: () => this.#running,
    timeline: () => restartTimeline(`${this.clock.bootId()} ${this.#running?.since ?? 0}`, [session(2)]),
  })
  #running: Running | undefined
  readonly #violations: string[] = []
  readonly #options: Options

  private constructor(options: Options) {
    this.#options = options
    this.docker.onStart = ({ Id, Config }) => {
      this.#running = { container: Id, since: this.clock.now() }
      const { newExitsAfter } = options
      if (newExitsAfter === undefined || Config.Image !== NEW_IMAGE) return
      void this.clock.sleep(newExitsAfter).then(() => {
        if (this.#running?.container === Id) this.docker.exit(Id, 1)
      })
    }
    this.docker.onExit = ({ Id, Config, State }) => {
      const killed = State.ExitCode === KILLED
      void this.#bird.look(ENDPOINT, Id).then((view) => {
        const established = view.state === 'up' && view.sessions.some((peer) => peer.established)
        if (killed && established && view.recovering)
          this.#violations.push(`${Config.Image} killed in the middle of its recovery`)
      })
      if (this.#running?.container === Id) this.#running = undefined
    }
  }

  static async create(options: Options = {}): Promise<UnitHost> {
    const host = new UnitHost(options)
    for (const image of [OLD_IMAGE, NEW_IMAGE]) host.docker.images.publish(image)
    host.docker.images.pull(OLD_IMAGE, () => undefined)
    host.files.files.set(UNIT_FILE, unitText(OLD_IMAGE))
    await host.systemd.daemonReload()
    await host.systemd.start()
    host.files.files.set(UNIT_FILE, options.text ?? unitText(OLD_IMAGE))
    host.clock.pass(400_000)
    host.ops.length = 0
    return host
  }

  async run(death?: Death): Promise<string> {
    const plan = await this.#plan()
    return await this.#drive(death, async (journal, ports) => {
      await journal.append({ type: 'run', order: 1, agent: 'test', plan, problems: [] })
      return await execute({ journal, ports, emit: () => undefined, signal: new AbortController().signal })
    })
  }

  async resume(): Promise<string> {
    const { records } = decodeJournal(this.text, RUN)
    if (records.length === 0) return 'nothing'
    const outcome = records.reduce<RunState | null>(applyRecord, null)?.outcome ?? null
    if (outcome !== null) return outcome
    const signal = new AbortController().signal
    return await this.#drive(undefined, (journal, ports) =>
      resume({ journal, ports, emit: () => undefined, signal }),
    )
  }

  /** A boot: /run is empty, and systemd starts what the files say. */
  async powerCycle(): Promise<void> {
    this.clock.reboot()
    this.#running = undefined
    this.docker.powerCycle()
    for (const path of this.files.files.keys()) if (path.startsWith('/run/')) this.files.files.delete(path)
    await this.systemd.daemonReload()
    const left = await this.docker.inspectContainer('calico-node')
    if (left) await this.docker.removeContainer(left.Id)
    await this.systemd.start()
    this.routes.held = false
  }

  async node(): Promise<ContainerJson | undefined> {
    return await this.docker.inspectContainer('calico-node')
  }

  /** In words, what is not as it must be after a run that ended with `outcome`. */
  async flaws(outcome: string): Promise<string[]> {
    const image = outcome === 'upgraded' ? NEW_IMAGE : OLD_IMAGE
    const node = await this.node()
    const untouched = outcome === 'nothing' || outcome === 'refused'
    const text = untouched ? (this.#options.text ?? unitText(OLD_IMAGE)) : unitText(image)
    return [
      ...this.#violations,
      ...(['upgraded', 'rolled-back', 'refused', 'nothing'].includes(outcome) ? [] : [`it ended ${outcome}`]),
      ...(node?.State.Running === true ? [] : ['nothing runs']),
      ...(node?.Config.Image === image ? [] : [`${node?.Config.Image ?? 'nothing'} runs`]),
      ...(this.files.files.get(UNIT_FILE) === text ? [] : ['the file is not as it must be']),
      ...(this.files.files.size === 1 ? [] : [`left: ${[...this.files.files.keys()].join(' ')}`]),
      ...(this.routes.held ? ['routes are held'] : []),
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
    const { docker, clock, routes, systemd, files } = this
    const { configs, kubelet } = new ConfiguredHost(this.ops)
    const ports = { docker, bird: this.#bird, clock, routes, probe: fakeProbe(), configs, kubelet }
    return { ...ports, cni: new FakeCniBinaries(this.ops), systemd, unitFiles: files }
  }

  async #drive(
    death: Death | undefined,
    story: (journal: Journal, ports: Ports) => Promise<string>,
  ): Promise<string> {
    const agent = new Mortal(death)
    const ports = this.#ports()
    const systemd = withMoves(ports.systemd, ['daemonReload', 'restart'], agent.move)
    const unitFiles = withMoves(ports.unitFiles, ['write', 'remove'], agent.move)
    const journal = journalOn(this, RUN, this.clock, agent.move)
    const told = story(journal, { ...ports, systemd, unitFiles })
    const ended = await Promise.race([told, agent.killed.promise])
    this.moves = agent.moves
    return ended
  }
}
