import { join } from 'node:path'
import { ensureDir, remove } from 'fs-extra/esm'
import { registryAddress } from './addresses.ts'
import { Authority, type Certificate } from './authority.ts'
import { daemonAlive, killDaemon, startDaemon, untilDaemonReady } from './daemon.ts'
import { execOk } from './exec.ts'
import { labNamespace, labPath } from './paths.ts'

/** Of the first worker; the peer port is the next one. */
const PORTS = { plain: 2379, kubernetes: 2384, tls: 2389 } as const

export type Identity = Certificate & { ca: string }

/** Debian's etcd on the switch: plain, or with TLS for clients that show a certificate of its CA. */
export class Etcd {
  readonly endpoint: string
  readonly #kind: keyof typeof PORTS
  readonly #port: number
  readonly #name: string
  readonly #directory: string

  constructor(kind: keyof typeof PORTS, worker: number) {
    this.#kind = kind
    this.#port = PORTS[kind] + 20 * (worker - 1)
    this.#name = `etcd-${kind}-${worker}`
    this.#directory = labPath('etcd', this.#name)
    this.endpoint = `${kind === 'tls' ? 'https' : 'http'}://${registryAddress}:${this.#port}`
  }

  /** Does nothing where it runs. What it had when it was killed it still has. */
  async start(): Promise<void> {
    if (await daemonAlive(this.#name)) return
    await ensureDir(this.#directory)
    const tls = this.#kind === 'tls' ? await this.identity() : null
    const peer = `http://127.0.0.1:${this.#port + 1}`
    await startDaemon(this.#name, [
      ...['etcd', '--unsafe-no-fsync'],
      ...['--data-dir', join(this.#directory, 'data')],
      ...['--listen-client-urls', this.endpoint, '--advertise-client-urls', this.endpoint],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
      ...['--initial-cluster', `default=${peer}`],
      ...(tls ? ['--cert-file', tls.cert, '--key-file', tls.key] : []),
      ...(tls ? ['--client-cert-auth', '--trusted-ca-file', tls.ca] : []),
    ])
    await untilDaemonReady(this.#name, () => this.#isHealthy(tls))
  }

  /** Its port refuses connections from here on. */
  async kill(): Promise<void> {
    await killDaemon(this.#name)
  }

  /** Ends it with all that it has: the next start is of an empty one. */
  async clear(): Promise<void> {
    await this.kill()
    await remove(join(this.#directory, 'data'))
  }

  /** One certificate for server and clients, as files of this machine. */
  async identity(): Promise<Identity> {
    const authority = await Authority.in(this.#directory)
    const subject = { name: 'etcd', alternatives: [`IP:${registryAddress}`] }
    return { ca: authority.ca, ...(await authority.issue('cert', subject)) }
  }

  async #isHealthy(tls: Identity | null): Promise<boolean> {
    const url = `${this.endpoint}/health`
    const proof = tls ? ['--cacert', tls.ca, '--cert', tls.cert, '--key', tls.key] : []
    const asked = ['curl', '--silent', '--fail', '--max-time', '2', ...proof, url]
    const answer = await execOk(['nsenter', `--net=${labNamespace}`, ...asked]).catch(() => '')
    return answer.includes('"true"')
  }
}
