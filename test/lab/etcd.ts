import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureDir, pathExists } from 'fs-extra/esm'
import { registryAddress } from './addresses.ts'
import { daemonAlive, killDaemon, startDaemon, untilDaemonReady } from './daemon.ts'
import { execOk } from './exec.ts'
import { labNamespace, labPath } from './paths.ts'

/** Of the first worker; the peer port is the next one. */
const PORTS = { plain: 2379, tls: 2389 } as const

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
    const tls = this.#kind === 'tls' ? await certificates(this.#directory) : null
    const peer = `http://127.0.0.1:${this.#port + 1}`
    await startDaemon(this.#name, [
      'etcd',
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

  async #isHealthy(tls: Certificates | null): Promise<boolean> {
    const url = `${this.endpoint}/health`
    const proof = tls ? ['--cacert', tls.ca, '--cert', tls.cert, '--key', tls.key] : []
    const asked = ['curl', '--silent', '--fail', '--max-time', '2', ...proof, url]
    const answer = await execOk(['nsenter', `--net=${labNamespace}`, ...asked]).catch(() => '')
    return answer.includes('"true"')
  }
}

type Certificates = { ca: string; cert: string; key: string }

/** A CA, and one certificate for server and clients, made once for a lab. */
async function certificates(directory: string): Promise<Certificates> {
  const [ca, caKey, cert, key, request, extensions] = [
    'ca.pem',
    'ca-key.pem',
    'cert.pem',
    'key.pem',
    'request.pem',
    'extensions.cnf',
  ].map((name) => join(directory, name)) as [string, string, string, string, string, string]
  if (await pathExists(cert)) return { ca, cert, key }
  const openssl = (...args: string[]): Promise<string> => execOk(['openssl', ...args])
  const newKey = (out: string): string[] => ['-newkey', 'rsa:2048', '-nodes', '-keyout', out]
  await openssl('req', '-x509', ...newKey(caKey), '-out', ca, '-subj', '/CN=lab-etcd-ca', '-days', '30')
  await openssl('req', ...newKey(key), '-out', request, '-subj', '/CN=etcd')
  await writeFile(
    extensions,
    `subjectAltName=IP:${registryAddress}\nextendedKeyUsage=serverAuth,clientAuth\n`,
  )
  const signed = ['-CA', ca, '-CAkey', caKey, '-CAcreateserial', '-days', '30', '-extfile', extensions]
  await openssl('x509', '-req', '-in', request, '-out', cert, ...signed)
  return { ca, cert, key }
}
