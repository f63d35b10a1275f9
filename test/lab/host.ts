import Docker from 'dockerode'
import { askBird } from './bird.ts'
import type { ExecOptions, ExecResult } from './exec.ts'
import { type HostProcess, runOnHost, startOnHost } from './host-run.ts'
import { type NodeOptions, nodeRunArgs } from './node-run.ts'
import { hostPid, powerCut, powerOn, remakeMachine } from './power.ts'

/** A host of the lab: systemd and Docker Engine in namespaces of their own. */
export class Host {
  readonly index: number
  readonly name: string
  readonly address: string
  /** The address of its pod. */
  readonly pod: string
  #pid: number

  static async attach(identity: Pick<Host, 'index' | 'name' | 'address' | 'pod'>): Promise<Host> {
    return new Host(identity, await hostPid(identity.name))
  }

  private constructor(identity: Pick<Host, 'index' | 'name' | 'address' | 'pod'>, pid: number) {
    this.index = identity.index
    this.name = identity.name
    this.address = identity.address
    this.pod = identity.pod
    this.#pid = pid
  }

  /** The pid of its PID 1 on this machine. It changes with every power cut. */
  get pid(): number {
    return this.#pid
  }

  /** Its file system from outside. Absolute symlinks in it lead astray: read and write with `readFile`, `writeFile`. */
  get root(): string {
    return `/proc/${this.#pid}/root`
  }

  /** The host's own engine. */
  get docker(): Docker {
    return new Docker({ socketPath: `${this.root}/run/docker.sock` })
  }

  /** Runs a program to its end; a non-zero exit is a result. */
  run(argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    return runOnHost(this.#pid, argv, options)
  }

  /** As `run`, but throws unless the program succeeds. Resolves to its stdout. */
  async ok(argv: readonly string[], options: ExecOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(argv, options)
    if (code === 0) return stdout
    throw new Error(
      `cannot run ${argv.join(' ')} on ${this.name}: exit ${code}: ${stderr.trim() || stdout.trim()}`,
    )
  }

  /** Starts a program and leaves it running, so that a test can signal it in the middle. */
  start(argv: readonly string[], options: Pick<ExecOptions, 'env' | 'onStdout'> = {}): Promise<HostProcess> {
    return startOnHost(this.#pid, argv, options)
  }

  readFile(path: string): Promise<string> {
    return this.ok(['cat', '--', path])
  }

  /** Writes a file, its parents included. */
  async writeFile(path: string, content: string | Buffer, mode = 0o644): Promise<void> {
    const script = 'mkdir -p "$(dirname "$0")" && rm -f "$0" && umask 077 && cat > "$0" && chmod "$1" "$0"'
    await this.ok(['sh', '-c', script, path, mode.toString(8)], { input: content })
  }

  async exists(path: string): Promise<boolean> {
    return (await this.run(['test', '-e', path])).code === 0
  }

  birdSocketPath(version: 4 | 6 = 4): string {
    return `${this.root}/run/calico/bird${version === 4 ? '' : '6'}.ctl`
  }

  /** BIRD's reply, line by line. Throws when it is down. */
  birdc(command: string): Promise<string[]> {
    return askBird(this.birdSocketPath(), command)
  }

  /** Starts calico-node with the host's own docker client, as an operator does. Resolves to the container's id. */
  async startNode(options: NodeOptions): Promise<string> {
    return (await this.ok(nodeRunArgs(this, options))).trim()
  }

  /** Takes the power away: every process of the host is gone at once, its disk stays. */
  powerCut(): Promise<void> {
    return powerCut(this.name)
  }

  /** Boots the host again, up to a running systemd and an answering engine, with its wire and its pod. */
  async powerOn(): Promise<void> {
    this.#pid = await powerOn(this)
  }

  /** Makes the host again, with an empty disk, and boots it: for one that a test left broken. */
  async remake(): Promise<void> {
    this.#pid = await remakeMachine(this)
  }
}
