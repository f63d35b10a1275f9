import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureDir, pathExists } from 'fs-extra/esm'
import { Authority, type Subject } from '../authority.ts'
import { daemonAlive, killDaemon, signalDaemon, startDaemon, untilDaemonReady } from '../daemon.ts'
import { Etcd } from '../etcd.ts'
import { execOk } from '../exec.ts'
import { addAddress, onSwitch } from '../net.ts'
import { labPath } from '../paths.ts'
import { auditFlags, requestsSeen } from './audit.ts'
import { flatKubeconfig } from './kubeconfig.ts'
import { installPrograms, program } from './program.ts'

const parts = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const

export type Part = (typeof parts)[number]

/**
 * etcd, kube-apiserver, kube-controller-manager and kube-scheduler on the switch: each worker has its own. The apiserver's
 * address is that of the Service `kubernetes`, so that a pod's in-cluster config holds without kube-proxy.
 */
export class ControlPlane {
  readonly etcd: Etcd
  readonly address: string
  readonly server: string
  readonly #worker: number
  readonly #directory: string

  constructor(worker: number) {
    this.#worker = worker
    this.#directory = labPath('kubernetes', `${worker}`)
    this.etcd = new Etcd('kubernetes', worker)
    this.address = `198.18.${worker}.1`
    this.server = `https://${this.address}`
  }

  get adminKubeconfig(): string {
    return join(this.#directory, 'admin.conf')
  }

  authority(): Promise<Authority> {
    return Authority.in(join(this.#directory, 'pki'))
  }

  /** Does nothing for what runs. What was there before they were killed is there again. */
  async start(): Promise<void> {
    await installPrograms()
    await ensureDir(this.#directory)
    await Promise.all([this.etcd.start(), this.#writeKubeconfigs(), this.#writeServiceAccountKey()])
    await addAddress(this.address)
    await this.startPart('kube-apiserver')
    await Promise.all([this.startPart('kube-controller-manager'), this.startPart('kube-scheduler')])
  }

  async startPart(part: Part): Promise<void> {
    const daemon = this.#daemon(part)
    if (await daemonAlive(daemon)) return
    // its controllers make it again
    if (part === 'kube-controller-manager')
      await this.kubectl(['-n', 'default', 'delete', 'sa', 'default', '--ignore-not-found'])
    await startDaemon(daemon, [program(part), ...(await this.#flags(part))])
    await untilDaemonReady(daemon, () => this.#ready(part))
  }

  async killPart(part: Part): Promise<void> {
    await killDaemon(this.#daemon(part))
  }

  /** SIGSTOP has it hang: connections are taken, and nobody answers. SIGCONT lets it go on. */
  async signalPart(part: Part, signal: 'SIGSTOP' | 'SIGCONT'): Promise<void> {
    await signalDaemon(this.#daemon(part), signal)
  }

  /** Ends all of it; its state stays. */
  async kill(): Promise<void> {
    await Promise.all(parts.map((part) => this.killPart(part)))
    await this.etcd.kill()
  }

  async alive(): Promise<boolean> {
    const alive = parts.map((part) => daemonAlive(this.#daemon(part)))
    return !(await Promise.all(alive)).includes(false)
  }

  /** How many requests of the agents' user the apiserver has answered. */
  requests(): Promise<number> {
    return requestsSeen(this.#directory)
  }

  /** A kubeconfig with a certificate of the cluster's CA. */
  async kubeconfigOf(file: string, subject: Subject): Promise<string> {
    const authority = await this.authority()
    return await flatKubeconfig(this.server, authority.ca, await authority.issue(file, subject))
  }

  #daemon(part: Part): string {
    return `${part}-${this.#worker}`
  }

  /** The controllers are at work once the account that each namespace has is made again. */
  async #ready(part: Part): Promise<boolean> {
    if (part === 'kube-scheduler') return true
    const question =
      part === 'kube-apiserver' ? ['get', '--raw', '/readyz'] : ['-n', 'default', 'get', 'sa', 'default']
    return await this.kubectl(question).then(
      () => true,
      () => false,
    )
  }

  /** As the cluster's administrator. Resolves to its stdout; throws with what kubectl said. */
  async kubectl(args: readonly string[], input = ''): Promise<string> {
    return await execOk(this.kubectlArgs(args), { input })
  }

  kubectlArgs(args: readonly string[]): string[] {
    const flags = ['--kubeconfig', this.adminKubeconfig, '--cache-dir', join(this.#directory, 'cache')]
    return onSwitch([program('kubectl'), ...flags, ...args])
  }

  async #flags(part: Part): Promise<string[]> {
    const pki = await this.authority()
    const credentials = ['--kubeconfig', join(this.#directory, `${part}.conf`), '--leader-elect=false']
    switch (part) {
      case 'kube-apiserver':
        return await this.#apiserverFlags(pki)
      case 'kube-scheduler':
        return [...credentials, '--secure-port=0']
      case 'kube-controller-manager':
        return [
          ...[...credentials, '--secure-port=0', '--use-service-account-credentials'],
          ...['--root-ca-file', pki.ca, '--service-account-private-key-file', this.#serviceAccountKey],
          ...['--cluster-signing-cert-file', pki.ca, '--cluster-signing-key-file', pki.caKey],
        ]
    }
  }

  async #apiserverFlags(pki: Authority): Promise<string[]> {
    const names = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc']
    const alternatives = [`IP:${this.address}`, ...names.map((name) => `DNS:${name}`)]
    const serving = await pki.issue('apiserver', { name: 'kube-apiserver', alternatives })
    const client = await pki.issue('kubelet-client', { name: 'kube-apiserver', group: 'system:masters' })
    return [
      ...['--etcd-servers', this.etcd.endpoint, '--service-cluster-ip-range', `198.18.${this.#worker}.0/24`],
      ...['--bind-address', this.address, '--advertise-address', this.address, '--secure-port=443'],
      ...['--tls-cert-file', serving.cert, '--tls-private-key-file', serving.key, '--client-ca-file', pki.ca],
      ...['--kubelet-client-certificate', client.cert, '--kubelet-client-key', client.key],
      ...['--service-account-issuer', 'https://kubernetes.default.svc'],
      ...['--service-account-key-file', this.#serviceAccountKey],
      ...['--service-account-signing-key-file', this.#serviceAccountKey],
      ...[
        '--authorization-mode=Node,RBAC',
        '--enable-admission-plugins=NodeRestriction',
        '--allow-privileged',
      ],
      ...(await auditFlags(this.#directory)),
      ...['--endpoint-reconciler-type=none', '--kubelet-preferred-address-types=InternalIP'],
    ]
  }

  get #serviceAccountKey(): string {
    return join(this.#directory, 'pki', 'service-account.key')
  }

  async #writeServiceAccountKey(): Promise<void> {
    await ensureDir(join(this.#directory, 'pki'))
    if (await pathExists(this.#serviceAccountKey)) return
    await execOk(['openssl', 'genrsa', '-out', this.#serviceAccountKey, '2048'])
  }

  async #writeKubeconfigs(): Promise<void> {
    const users: [string, Subject][] = [
      ['admin', { name: 'kubernetes-admin', group: 'system:masters' }],
      ['kube-controller-manager', { name: 'system:kube-controller-manager' }],
      ['kube-scheduler', { name: 'system:kube-scheduler' }],
    ]
    for (const [file, subject] of users) {
      const content = await this.kubeconfigOf(file, subject)
      await writeFile(join(this.#directory, `${file}.conf`), content, { mode: 0o600 })
    }
  }
}
