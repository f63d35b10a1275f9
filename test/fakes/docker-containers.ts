import type { ContainerJson } from '../../agent/core/docker/json.ts'
import { wouldRestart } from './docker-container.ts'
import { nameOf, refusal } from './docker-words.ts'

export interface FakeContainer {
  json: ContainerJson
  /** Set by a kill, cleared by a start: `unless-stopped` heeds it, `always` does not once the Engine starts anew. */
  manuallyStopped: boolean
}

/** The containers of an Engine in memory: how they are found, and how they live and die by its own rules. */
export class FakeContainers {
  /** Called after a container started or exited, by a call or by itself: a fake BIRD lives and dies by it. */
  onStart: (container: ContainerJson) => void = () => undefined
  onExit: (container: ContainerJson) => void = () => undefined

  /** Where its times come from; by default from a count of its own. */
  date: (() => Date) | undefined
  readonly ops: string[]
  protected readonly containers: FakeContainer[] = []
  private ticks = 0

  constructor(ops: string[] = []) {
    this.ops = ops
  }

  /** The container's first process ends by itself: its restart policy or AutoRemove follows. */
  exit(container: string, exitCode: number): void {
    const found = this.need(container, 'exit')
    this.ended(found, exitCode)
    if (found.json.State.Status === 'exited' && wouldRestart(found.json, false)) this.started(found)
  }

  /** The host loses power and boots: Docker starts what the policies say. As measured with Engine 20.10. */
  powerCycle(): void {
    this.ops.push('power cycle')
    for (const container of [...this.containers]) {
      if (container.json.State.Running) this.ended(container, 255)
      if (container.json.HostConfig.AutoRemove === true) this.forget(container)
    }
    this.restartEngine()
  }

  /** dockerd starts anew under live-restore: what runs goes on, what was stopped comes up as the policies say. */
  restartEngine(): void {
    for (const container of this.containers) {
      const { Status } = container.json.State
      // a container that never ran is not started, whatever its policy
      if (Status === 'exited' && wouldRestart(container.json, container.manuallyStopped))
        this.started(container)
    }
  }

  protected find(container: string): FakeContainer | undefined {
    return (
      this.containers.find(({ json }) => json.Id === container || nameOf(json) === container) ??
      this.containers.find(({ json }) => container !== '' && json.Id.startsWith(container))
    )
  }

  protected need(container: string, what: string): FakeContainer {
    const found = this.find(container)
    if (found === undefined) throw refusal(what, 404, `No such container: ${container}`)
    return found
  }

  protected refuseTakenName(what: string, name: string): void {
    const holder = this.containers.find(({ json }) => nameOf(json) === name)
    if (holder === undefined) return
    const reply = `Conflict. The container name "/${name}" is already in use by container "${holder.json.Id}".`
    throw refusal(what, 409, reply)
  }

  protected started(container: FakeContainer): void {
    container.manuallyStopped = false
    const { State } = container.json
    Object.assign(State, {
      Status: 'running',
      Running: true,
      Pid: 1000 + this.ticks,
      ExitCode: 0,
      StartedAt: this.tick(),
    })
    this.onStart(structuredClone(container.json))
  }

  protected ended(container: FakeContainer, ExitCode: number): void {
    const { State, HostConfig } = container.json
    const Status = HostConfig.AutoRemove === true ? 'removing' : 'exited'
    Object.assign(State, { Status, Running: false, Pid: 0, ExitCode, FinishedAt: this.tick() })
    // the Engine removes an AutoRemove container some time after it told of the exit
    if (HostConfig.AutoRemove === true)
      setTimeout(() => {
        this.forget(container)
      }, 1).unref()
    this.onExit(structuredClone(container.json))
  }

  protected forget(container: FakeContainer): void {
    const at = this.containers.indexOf(container)
    if (at >= 0) this.containers.splice(at, 1)
  }

  /** Times that differ, so that an old instance is told from a new one. */
  private tick(): string {
    this.ticks += 1
    const ms = this.date ? this.date().getTime() + this.ticks : Date.UTC(2026, 0, 1) + this.ticks * 1000
    return new Date(ms).toISOString()
  }
}
