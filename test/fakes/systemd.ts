import type { Along } from '../../agent/core/unit/along.ts'
import type { UnitSource } from '../../agent/core/unit/commands.ts'
import { readUnit } from '../../agent/core/unit/image.ts'
import type { UnitText } from '../../agent/core/unit/lines.ts'
import type { UnitState } from '../../agent/core/unit/state.ts'
import type { Systemd } from '../../agent/ports/systemd.ts'
import type { UnitFile, UnitFiles } from '../../agent/ports/unit-files.ts'
import type { FakeClock } from './clock.ts'
import type { FakeDocker } from './docker.ts'

/** Files by their paths. */
export class FakeUnitFiles implements UnitFiles {
  readonly files = new Map<string, string>()
  readonly links = new Set<string>()
  /** Directories that the agent's service cannot write to. */
  readonly readOnly = new Set<string>()
  readonly #ops: string[]

  constructor(ops: string[] = []) {
    this.#ops = ops
  }

  read(path: string): Promise<UnitFile | undefined> {
    const text = this.files.get(path)
    return Promise.resolve(text === undefined ? undefined : { text, isLink: this.links.has(path) })
  }

  readScript(path: string): Promise<string | undefined> {
    return Promise.resolve(this.files.get(path))
  }

  expand(pattern: string): Promise<string[]> {
    if (!pattern.includes('*')) return Promise.resolve([pattern])
    const expression = new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '[^/]*')}$`)
    return Promise.resolve([...this.files.keys()].filter((path) => expression.test(path)).sort())
  }

  isWritable(path: string): Promise<boolean> {
    return Promise.resolve(![...this.readOnly].some((directory) => path.startsWith(`${directory}/`)))
  }

  write(path: string, text: string): Promise<void> {
    this.#ops.push(`write ${path}`)
    this.files.set(path, text)
    return Promise.resolve()
  }

  remove(path: string): Promise<void> {
    if (this.files.delete(path)) this.#ops.push(`remove ${path}`)
    return Promise.resolve()
  }
}

/** systemd with one unit at the most, named like its container, which runs in a FakeDocker. */
export class FakeSystemd implements Systemd {
  readonly files: FakeUnitFiles
  /** What systemd last read; null where there is no unit. */
  #loaded: UnitSource | null = null
  readonly #docker: FakeDocker
  readonly #ops: string[]
  readonly #container: string
  /** Where jobs take their time: each half of one, and docker's start behind it. */
  slow: { clock: FakeClock; ms: number } | undefined
  #phase: 'idle' | 'asked' | 'job' | 'starting' = 'idle'
  #jobs = 0
  /** Units that a restart concerns. */
  alongWith: Along[] = []
  /** Its docker run has begun them: one of somebody else's is no life of the unit. */
  readonly #made = new Set<string>()

  constructor(
    docker: FakeDocker,
    files = new FakeUnitFiles(),
    ops: string[] = [],
    container = 'calico-node',
  ) {
    this.#docker = docker
    this.files = files
    this.#ops = ops
    this.#container = container
  }

  unitOfClient(): Promise<string | null> {
    return Promise.resolve(null)
  }

  async services(): Promise<UnitState[]> {
    const state = this.#loaded && (await this.show(this.#loaded.name))
    return state === null ? [] : [state]
  }

  async show(unit: string): Promise<UnitState | null> {
    if (this.#loaded?.name !== unit) return null
    const container = await this.#docker.inspectContainer(this.#container)
    const isOwn = container !== undefined && this.#made.has(container.Id)
    const [main, ...dropIns] = this.#loaded.fragments
    return {
      unit,
      load: 'loaded',
      ...this.#active(isOwn && container.State.Running, dropIns),
      type: 'simple',
      hasJob: this.#phase === 'asked' || this.#phase === 'job',
      fileState: 'enabled',
      fragment: main?.path ?? '',
      dropIns: dropIns.map(({ path }) => path),
      environmentFiles: [],
      execStart: [`/usr/bin/docker run --name=${this.#container} ${this.#image()}`],
      execStop: dropIns.some(({ text }) => text.includes('rm --force'))
        ? [`/usr/bin/docker rm --force ${this.#container}`]
        : [],
      commands: [`/usr/bin/docker run --name=${this.#container} ${this.#image()}`],
      startedBy: [],
      transient: false,
      needsReload: JSON.stringify(this.#onDisk()) !== JSON.stringify(this.#loaded),
      result: 'success',
      exitStatus: '1',
    }
  }

  daemonReload(): Promise<void> {
    this.#ops.push('systemctl daemon-reload')
    this.#loaded = this.#onDisk()
    return Promise.resolve()
  }

  resetFailed(): Promise<void> {
    return Promise.resolve()
  }

  /** A job takes the place of one that is under way; whoever asks for it need not live to see its end. */
  async restart(unit: string): Promise<void> {
    this.#phase = 'asked'
    const job = this.#restart(unit, ++this.#jobs)
    if (this.slow === undefined) await job
  }

  isAsked(): Promise<boolean> {
    return Promise.resolve(false)
  }

  along(): Promise<Along[]> {
    return Promise.resolve(this.alongWith)
  }

  /** Under the drop-in of a swap, by KILL: by TERM it must never happen. */
  async stop(unit: string): Promise<void> {
    const state = await this.show(unit)
    this.#ops.push(state?.execStop.length === 1 ? `systemctl stop ${unit}` : `systemctl TERM ${unit}`)
    const own = await this.#docker.inspectContainer(this.#container)
    if (own && this.#made.has(own.Id)) await this.#docker.removeContainer(own.Id)
  }

  /** Stops by KILL under the drop-in of a swap, by TERM else: that must never happen. */
  async #restart(unit: string, job: number): Promise<void> {
    const state = await this.show(unit)
    this.#ops.push(state?.execStop.length === 1 ? `systemctl restart ${unit}` : `systemctl TERM ${unit}`)
    this.#phase = 'job'
    if (!(await this.#passTime(job))) return
    const old = await this.#docker.inspectContainer(this.#container)
    // of a unit that failed, systemd runs no ExecStop=
    if (old?.State.Running === true) {
      await this.#docker.killContainer(old.Id)
      await this.#docker.removeContainer(old.Id)
    }
    if (!(await this.#passTime(job))) return
    this.#phase = 'starting'
    if (!(await this.#passTime(job))) return
    await this.start().catch(() => undefined)
    this.#phase = 'idle'
  }

  /** False where another job has taken its place meanwhile. */
  async #passTime(job: number): Promise<boolean> {
    if (this.slow) await this.slow.clock.sleep(this.slow.ms)
    return job === this.#jobs
  }

  #active(isRunning: boolean, dropIns: UnitText[]): Pick<UnitState, 'active' | 'sub'> {
    if (this.#phase === 'job') return { active: 'deactivating', sub: 'stop' }
    if (isRunning || this.#phase === 'starting') return { active: 'active', sub: 'running' }
    const remains = dropIns.some(({ text }) => text.includes('RemainAfterExit=yes'))
    return remains ? { active: 'active', sub: 'exited' } : { active: 'failed', sub: 'failed' }
  }

  /** A boot: /run is empty, no job is left, and what the files say is started. */
  async boot(): Promise<void> {
    this.#phase = 'idle'
    this.#jobs += 1
    for (const path of this.files.files.keys()) if (path.startsWith('/run/')) this.files.files.delete(path)
    await this.daemonReload()
    const left = await this.#docker.inspectContainer(this.#container)
    if (left) await this.#docker.removeContainer(left.Id)
    await this.start()
  }

  async start(): Promise<string> {
    const id = await this.#docker.createContainer(this.#container, {
      Image: this.#image(),
      Env: ['NODENAME=host-1'],
      HostConfig: {
        NetworkMode: 'host',
        RestartPolicy: { Name: 'no' },
        Binds: ['/var/run/calico:/var/run/calico'],
      },
    })
    this.#made.add(id)
    await this.#docker.startContainer(id)
    return id
  }

  #image(): string {
    const reading = this.#loaded && readUnit(this.#loaded, this.#container)
    return reading?.kind === 'runs' ? reading.run.image : ''
  }

  #onDisk(): UnitSource | null {
    const name = `${this.#container}.service`
    const fragment = `/etc/systemd/system/${name}`
    const text = this.files.files.get(fragment)
    if (text === undefined) return null
    const dropIns = [...this.files.files].filter(([path]) => path.includes(`${name}.d/`))
    const sorted = dropIns.sort(([one], [other]) =>
      one.replace(/.*\//, '').localeCompare(other.replace(/.*\//, '')),
    )
    return {
      name,
      fragments: [{ path: fragment, text }, ...sorted.map(([path, content]) => ({ path, text: content }))],
      environmentFiles: [],
    }
  }
}
