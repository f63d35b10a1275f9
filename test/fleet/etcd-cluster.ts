import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Authority } from '../lab/authority.ts'
import { freePort } from '../lab/free-port.ts'
import { hang } from '../lab/hang.ts'
import { until } from '../lab/poll.ts'
import { Wires } from './wires.ts'

const run = promisify(execFile)

export interface EtcdOptions {
  members?: number
  /** With TLS for clients that show a certificate of its CA. */
  tls?: boolean
  /** Each member in a network of its own, whose link can be cut. Needs root; without TLS. */
  wired?: boolean
}

interface Member {
  /** Where clients reach it. */
  client: string
  /** Where it listens for them: there, or at a socket file that a relay connects them to. */
  listen: string
  peer: string
  process: ChildProcess | null
}

interface Identity {
  ca: string
  cert: string
  key: string
}

/** Those that run; a soak may be interrupted. */
const clusters = new Set<EtcdCluster>()
process.once('exit', () => {
  for (const cluster of clusters) cluster.abandon()
})

/** Debian's etcd on loopback, its members as processes of this one, which they do not outlive. */
export class EtcdCluster {
  readonly #directory: string
  readonly #members: Member[]
  readonly #wires: Wires | null
  readonly #relays: Server[] = []
  readonly identity: Identity | null

  private constructor(
    directory: string,
    members: Member[],
    { identity, wires }: { identity: Identity | null; wires: Wires | null },
  ) {
    this.#directory = directory
    this.#members = members
    this.#wires = wires
    this.identity = identity
  }

  static async start({ members = 1, tls = false, wired = false }: EtcdOptions = {}): Promise<EtcdCluster> {
    const directory = await mkdtemp(join(tmpdir(), 'etcd-'))
    const ports: number[] = []
    while (ports.length < 2 * members) ports.push(await freePort())
    const wires = wired ? await Wires.between(members) : null
    const all = Array.from({ length: members }, (_, i) => {
      const client = `${tls ? 'https' : 'http'}://127.0.0.1:${ports[2 * i]}`
      const peer = `http://${wires?.addressOf(i) ?? '127.0.0.1'}:${ports[2 * i + 1]}`
      return { client, listen: wired ? `unix://${socketOf(i)}` : client, peer, process: null }
    })
    const identity = tls ? await identityIn(directory) : null
    const cluster = new EtcdCluster(directory, all, { identity, wires })
    clusters.add(cluster)
    if (wired) await Promise.all(all.map((_, i) => cluster.#relay(i, Number(ports[2 * i]))))
    await Promise.all(all.map((_, i) => cluster.startMember(i)))
    return cluster
  }

  get endpoints(): string[] {
    return this.#members.map(({ client }) => client)
  }

  /** What it had when it was killed it still has. */
  async startMember(index: number): Promise<void> {
    const { client, listen, peer } = this.#member(index)
    const { cert = '', key = '', ca = '' } = this.identity ?? {}
    const argv = [
      ...[
        'etcd',
        '--name',
        `m${index}`,
        '--unsafe-no-fsync',
        '--data-dir',
        join(this.#directory, `m${index}`),
      ],
      ...['--listen-client-urls', listen, '--advertise-client-urls', client],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
      ...['--initial-cluster', this.#members.map((one, i) => `m${i}=${one.peer}`).join(',')],
      ...['--heartbeat-interval', '100', '--election-timeout', '1000'],
      ...(this.identity
        ? ['--cert-file', cert, '--key-file', key, '--client-cert-auth', '--trusted-ca-file', ca]
        : []),
    ]
    const [program = '', ...args] = this.#wires?.in(index, argv) ?? argv
    this.#member(index).process = spawn(program, args, { stdio: 'ignore', cwd: this.#directory })
    await until(`etcd ${client}`, () => this.isHealthy(index), { timeoutMs: 60_000 })
  }

  async killMember(index: number): Promise<void> {
    const { process } = this.#member(index)
    if (process === null) return
    this.#member(index).process = null
    // one that ended by itself ends no second time
    if (process.exitCode !== null || process.signalCode !== null) return
    const ended = new Promise((resolve) => process.once('exit', resolve))
    process.kill('SIGKILL')
    await ended
  }

  async pause(index: number): Promise<void> {
    const pid = this.#member(index).process?.pid
    if (pid !== undefined) await hang(pid)
  }

  unpause(index: number): void {
    this.#member(index).process?.kill('SIGCONT')
  }

  /** From the other members; its own clients still reach it. */
  async cut(index: number): Promise<void> {
    await this.#wires?.cut(index)
  }

  async mend(index: number): Promise<void> {
    await this.#wires?.mend(index)
  }

  async leader(): Promise<number> {
    for (const index of this.#members.keys()) {
      const metrics = await this.metrics(index).catch(() => '')
      if (/^etcd_server_is_leader 1$/m.test(metrics)) return index
    }
    throw new Error('no member leads')
  }

  /** In Prometheus' format. */
  async metrics(index: number): Promise<string> {
    return await this.#curl(`${this.#member(index).client}/metrics`)
  }

  async isHealthy(index: number): Promise<boolean> {
    return (await this.#curl(`${this.#member(index).client}/health`).catch(() => '')).includes('"true"')
  }

  async stop(): Promise<void> {
    for (const index of this.#members.keys()) this.unpause(index)
    await Promise.all(this.#members.map((_, index) => this.killMember(index)))
    for (const relay of this.#relays) relay.close()
    this.#wires?.close()
    await rm(this.#directory, { recursive: true, force: true })
    clusters.delete(this)
  }

  /** What can be done of it at the end of the process. */
  abandon(): void {
    for (const member of this.#members) member.process?.kill('SIGKILL')
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 3 })
  }

  /** A socket file is the same in each network. */
  async #relay(index: number, port: number): Promise<void> {
    const relay = createServer((client) => {
      const member = connect(join(this.#directory, socketOf(index)))
      for (const end of [client, member]) end.on('error', () => [client, member].map((one) => one.destroy()))
      client.pipe(member).pipe(client)
    })
    await new Promise<void>((resolve) => relay.listen(port, '127.0.0.1', resolve))
    this.#relays.push(relay)
  }

  #member(index: number): Member {
    const member = this.#members[index]
    if (member === undefined) throw new Error(`there is no member ${index}`)
    return member
  }

  async #curl(url: string): Promise<string> {
    const { ca, cert, key } = this.identity ?? {}
    const proof = ca && cert && key ? ['--cacert', ca, '--cert', cert, '--key', key] : []
    return (await run('curl', ['--silent', '--max-time', '2', ...proof, url])).stdout
  }
}

/** In etcd's working directory; it wants the form of a host and a port. */
const socketOf = (index: number): string => `m${index}:0`

/** One certificate for server and clients. */
async function identityIn(directory: string): Promise<Identity> {
  const authority = await Authority.in(directory)
  const subject = { name: 'etcd', alternatives: ['IP:127.0.0.1'] }
  return { ca: authority.ca, ...(await authority.issue('cert', subject)) }
}
