import { readFile } from 'node:fs/promises'
import type { Certificate } from '../authority.ts'
import type { ExecResult } from '../exec.ts'
import type { Host } from '../host.ts'
import { cleanHost } from '../host-state.ts'
import type { Mesh } from '../mesh.ts'
import { until } from '../poll.ts'
import type { Registry } from '../registry-client.ts'
import { calicoManifest } from './calico.ts'
import { ControlPlane } from './control-plane.ts'
import type { HostedCalico } from './hosted.ts'
import { kubeconfig } from './kubeconfig.ts'
import { CLIENT_CA, KUBECONFIG, type KubeletOptions, removeKubelet, startKubelet } from './kubelet.ts'
import { HOST_BIN, installPrograms } from './program.ts'

const CREDENTIAL = '/var/lib/kubelet/pki/kubelet-client-current.pem'

/** A real Kubernetes 1.23.17: its control plane on the switch, its nodes on hosts of the lab. */
export class Kubernetes extends ControlPlane {
  readonly #registry: Registry

  constructor(worker: number, registry: Registry) {
    super(worker)
    this.#registry = registry
  }

  /** What `kubectl ... -o json` answers. */
  async get<T>(args: readonly string[]): Promise<T> {
    return JSON.parse(await this.kubectl(['get', '-o', 'json', ...args])) as T
  }

  async apply(...objects: readonly object[]): Promise<void> {
    const list = { apiVersion: 'v1', kind: 'List', items: objects }
    await this.kubectl(['apply', '-f', '-'], JSON.stringify(list))
  }

  /**
   * Makes the host a node: a kubelet under systemd with the node's own credential, where kubeadm has them. It is Ready
   * once the CNI has a config there.
   */
  async joinNode(
    host: Host,
    { config = {}, runtime = 'docker' }: Pick<KubeletOptions, 'config' | 'runtime'> = {},
  ): Promise<void> {
    const pki = await this.authority()
    const subject = { name: `system:node:${host.name}`, group: 'system:nodes' }
    const credential = await pki.issue(`node-${host.name}`, subject)
    await host.writeFile(CLIENT_CA, await pki.pem())
    await host.writeFile(CREDENTIAL, await inOneFile(credential), 0o600)
    const user = { 'client-certificate': CREDENTIAL, 'client-key': CREDENTIAL }
    const cluster = { server: this.server, 'certificate-authority': CLIENT_CA }
    await host.writeFile(KUBECONFIG, kubeconfig(cluster, user), 0o600)
    await startKubelet(host, { pauseImage: this.pauseImage, kubeconfig: KUBECONFIG, config, runtime })
    const registered = (): Promise<boolean> => this.kubectl(['get', 'node', host.name]).then(() => true)
    await until(`the node ${host.name}`, registered, { everyMs: 250 })
  }

  /** A kubelet that knows no API server: it keeps the static pods of its directory. */
  async startStandalone(host: Host): Promise<void> {
    await installPrograms()
    await startKubelet(host, { pauseImage: this.pauseImage })
  }

  /** The host is no node any more, and has none of its pods. */
  async removeNode(host: Host): Promise<void> {
    await this.kubectl(['delete', 'node', host.name, '--ignore-not-found'])
    await removeKubelet(host)
  }

  /** kubectl on the host, with the credential of its kubelet. */
  async nodeKubectl(host: Host, args: readonly string[]): Promise<ExecResult> {
    return await host.run([`${HOST_BIN}/kubectl`, '--kubeconfig', KUBECONFIG, ...args])
  }

  async readyNodes(): Promise<string[]> {
    const table = await this.kubectl(['get', 'nodes', '--no-headers'])
    return [...table.matchAll(/^(\S+) +Ready\b/gm)].map(([, name = '']) => name)
  }

  async untilReady(host: Host): Promise<void> {
    await this.kubectl(['wait', '--for=condition=Ready', `node/${host.name}`, '--timeout=120s'])
  }

  /** Of what was there before: no Node, and nothing that would start pods on one. */
  async clear(): Promise<void> {
    await this.kubectl(['delete', '-n', 'kube-system', 'ds,deploy', '--all', '--wait=false'])
    await this.kubectl(['delete', 'nodes', '--all'])
  }

  /**
   * Brings the hosts of a mesh to the known state with a hosted Calico: as `mesh.reset`, and each of them a node that is
   * Ready. The control plane runs.
   */
  async resetHosted(
    mesh: Mesh,
    hosted: Omit<HostedCalico, 'hosts'> = {},
    runtimeOf: (host: Host) => NonNullable<KubeletOptions['runtime']> = () => 'docker',
  ): Promise<void> {
    await this.clear()
    await Promise.all(mesh.hosts.map((host) => cleanHost(host, '')))
    await Promise.all(mesh.hosts.map((host) => this.joinNode(host, { runtime: runtimeOf(host) })))
    await this.applyCalico({ ...hosted, hosts: mesh.hosts })
    await this.untilRolledOut()
    await Promise.all(mesh.hosts.map((host) => this.untilReady(host)))
    await mesh.untilSettled()
  }

  /** What `kubectl apply` of its calico.yaml does. */
  async applyCalico(hosted: HostedCalico): Promise<void> {
    await this.apply(...this.calicoManifest(hosted))
  }

  /** The objects of its calico.yaml. */
  calicoManifest(hosted: HostedCalico): object[] {
    return calicoManifest(this.#registry, hosted)
  }

  /** Waits until every node has its calico-node of the newest template, and the controllers are available. */
  async untilRolledOut(timeoutS = 180): Promise<void> {
    const status = ['rollout', 'status', '-n', 'kube-system', `--timeout=${timeoutS}s`]
    await this.kubectl([...status, 'daemonset/calico-node'])
    await this.kubectl([...status, 'deployment/calico-kube-controllers'])
  }

  get pauseImage(): string {
    return `${this.#registry.address}/pause:3.6`
  }
}

const inOneFile = async ({ cert, key }: Certificate): Promise<string> =>
  (await readFile(cert, 'utf8')) + (await readFile(key, 'utf8'))
