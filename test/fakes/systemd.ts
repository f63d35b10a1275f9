import { readUnit, type UnitSource } from '../../agent/core/unit-image.ts'
import type { UnitState } from '../../agent/core/unit-state.ts'
import type { Systemd } from '../../agent/ports/systemd.ts'
import type { UnitFile, UnitFiles } from '../../agent/ports/unit-files.ts'
import type { FakeDocker } from './docker.ts'

/** Files by their paths. */
export class FakeUnitFiles implements UnitFiles {
  readonly files = new Map<string, string>()
  readonly links = new Set<string>()
  readonly #ops: string[]

  constructor(ops: string[] = []) {
    this.#ops = ops
  }

  read(path: string): Promise<UnitFile | undefined> {
    const text = this.files.get(path)
    return Promise.resolve(text === undefined ? undefined : { text, isLink: this.links.has(path) })
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

const FRAGMENT = '/etc/systemd/system/calico-node.service'

/** systemd with one unit at the most: calico-node.service, whose container runs in a FakeDocker. */
export class FakeSystemd implements Systemd {
  readonly files: FakeUnitFiles
  /** How long a restart is at work before the unit stops; whoever asked for it need not live as long. */
  restartTakes: () => Promise<void> = () => Promise.resolve()
  #job: Promise<void> = Promise.resolve()
  /** What systemd last read; null where there is no unit. */
  #loaded: UnitSource | null = null
  readonly #docker: FakeDocker
  readonly #ops: string[]

  constructor(docker: FakeDocker, files = new FakeUnitFiles(), ops: string[] = []) {
    this.#docker = docker
    this.files = files
    this.#ops = ops
  }

  unitOfClient(): Promise<string | null> {
    return Promise.resolve(null)
  }

  containerUnits(): Promise<string[]> {
    return Promise.resolve(this.#loaded === null ? [] : [this.#loaded.name])
  }

  async show(unit: string): Promise<UnitState | null> {
    if (this.#loaded?.name !== unit) return null
    const container = await this.#docker.inspectContainer('calico-node')
    const [main, ...dropIns] = this.#loaded.fragments
    return {
      unit,
      load: 'loaded',
      active: container?.State.Running === true ? 'active' : 'failed',
      fileState: 'enabled',
      fragment: main?.path ?? '',
      dropIns: dropIns.map(({ path }) => path),
      environmentFiles: [],
      execStart: [`/usr/bin/docker run --name=calico-node ${this.#image()}`],
      execStop: dropIns.some(({ text }) => text.includes('rm --force'))
        ? ['/usr/bin/docker rm --force calico-node']
        : [],
      transient: false,
      needsReload: JSON.stringify(this.#onDisk()) !== JSON.stringify(this.#loaded),
      result: 'success',
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

  async untilIdle(): Promise<void> {
    await this.#job
  }

  restart(unit: string): Promise<void> {
    this.#job = this.#restarted(unit)
    return this.#job
  }

  /** Stops by KILL under the drop-in of a swap, by TERM else: that must never happen. */
  async #restarted(unit: string): Promise<void> {
    await this.restartTakes()
    const state = await this.show(unit)
    this.#ops.push(state?.execStop.length === 1 ? `systemctl restart ${unit}` : `systemctl TERM ${unit}`)
    const old = await this.#docker.inspectContainer('calico-node')
    // of a unit that failed, systemd runs no ExecStop=
    if (old?.State.Running === true) {
      await this.#docker.killContainer(old.Id)
      await this.#docker.removeContainer(old.Id)
    }
    await this.start().catch(() => undefined)
  }

  /** As a boot does. */
  async start(): Promise<string> {
    const id = await this.#docker.createContainer('calico-node', {
      Image: this.#image(),
      Env: ['NODENAME=host-1'],
      HostConfig: { NetworkMode: 'host', RestartPolicy: { Name: 'no' } },
    })
    await this.#docker.startContainer(id)
    return id
  }

  #image(): string {
    const reading = this.#loaded && readUnit(this.#loaded, 'calico-node')
    return reading?.kind === 'runs' ? reading.run.image : ''
  }

  #onDisk(): UnitSource | null {
    const text = this.files.files.get(FRAGMENT)
    if (text === undefined) return null
    const dropIns = [...this.files.files].filter(([path]) => path.includes('calico-node.service.d/'))
    const sorted = dropIns.sort(([one], [other]) =>
      one.replace(/.*\//, '').localeCompare(other.replace(/.*\//, '')),
    )
    return {
      name: 'calico-node.service',
      fragments: [{ path: FRAGMENT, text }, ...sorted.map(([path, content]) => ({ path, text: content }))],
      environmentFiles: [],
    }
  }
}
