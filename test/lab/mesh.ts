import { birdRecovering, birdSessions, sessionName } from './bird.ts'
import { execOk } from './exec.ts'
import type { Host } from './host.ts'
import { cleanHost, ensureImage, isUntouched, rememberReset } from './host-state.ts'
import { podNamespace } from './net.ts'
import type { NodeOptions } from './node-run.ts'
import { until } from './poll.ts'
import type { Registry } from './registry-client.ts'
import { type RouteWatch, watchRoutes } from './routes.ts'
import { startTraffic, type Traffic } from './traffic.ts'

export type ResetOptions = Omit<NodeOptions, 'image' | 'peers'> & {
  /** Tag of calico/node in the lab's registry. */
  image?: string
  /** Live peers outside of the mesh, such as routers: waited for. */
  extraPeers?: readonly string[]
  /** Peers that do not exist: configured, not waited for. */
  deadPeers?: readonly string[]
  /** Starts calico-node in another way than `docker run`, such as a unit. `key` tells one way from another. */
  starter?: { key: string; start(host: Host, options: NodeOptions): Promise<unknown> }
}

/** Hosts that are each other's BGP peers, each with calico-node and a pod. */
export class Mesh {
  readonly hosts: readonly Host[]
  readonly #registry: Registry

  constructor(hosts: readonly Host[], registry: Registry) {
    this.hosts = hosts
    this.#registry = registry
  }

  /**
   * Brings the hosts to the known state: nothing of the agent, one calico-node each, all sessions Established and
   * recovered, pods that reach each other. Does nothing when that is how they are since the last reset. Hosts that an
   * earlier test left broken are made again: one failure stays one failure.
   */
  async reset(options: ResetOptions = {}): Promise<void> {
    const fingerprint = JSON.stringify([this.hosts.map(({ name }) => name), options])
    const untouched = await Promise.all(this.hosts.map((host) => isUntouched(host, fingerprint)))
    if (!untouched.includes(false) && (await this.#settled(options).catch(() => false))) return
    try {
      await this.#renew(options)
    } catch (error) {
      process.stderr.write(
        `lab: making ${this.hosts.map(({ name }) => name).join(' and ')} again: ${String(error)}\n`,
      )
      await Promise.all(this.hosts.map((host) => host.remake()))
      await this.#renew(options)
    }
    await Promise.all(this.hosts.map((host) => rememberReset(host, fingerprint)))
  }

  async #renew(options: ResetOptions): Promise<void> {
    await Promise.all(this.hosts.map((host) => this.#prepare(host, options)))
    await Promise.all(this.hosts.map((host) => this.#start(host, options)))
    await this.#untilSettled(options)
  }

  /** Pings between the pods of two hosts, both ways. */
  traffic(from: Host, to: Host, options?: { intervalMs?: number }): Promise<Traffic> {
    return startTraffic(from, to, options)
  }

  /** Records the pod routes that BIRD withdraws on the host. */
  watchRoutes(host: Host): Promise<RouteWatch> {
    return watchRoutes(host)
  }

  /** The options `reset` starts a host's node with: for tests that start one themselves. */
  nodeOptions(
    host: Host,
    { image = 'v2.6.5', extraPeers = [], deadPeers = [], ...rest }: ResetOptions = {},
  ): NodeOptions {
    const others = this.hosts.filter((other) => other !== host).map(({ address }) => address)
    return { ...rest, image: this.#registry.image(image), peers: [...others, ...extraPeers, ...deadPeers] }
  }

  /** Waits until every session of the mesh is Established, recovery is over and the pods' routes are there. */
  async untilSettled(options: ResetOptions = {}): Promise<void> {
    await until('the mesh to settle', () => this.#settled(options))
  }

  async #prepare(host: Host, options: ResetOptions): Promise<void> {
    const { image } = this.nodeOptions(host, options)
    await cleanHost(host, image)
    await ensureImage(host, image)
  }

  async #start(host: Host, options: ResetOptions): Promise<void> {
    const { starter, ...rest } = options
    const node = this.nodeOptions(host, rest)
    await (starter ? starter.start(host, node) : host.startNode(node))
  }

  /** A dead peer would keep BIRD from its routes for 240 s: it is released, and put back, once the live ones are up. */
  async #untilSettled(options: ResetOptions): Promise<void> {
    const { deadPeers = [] } = options
    const live = (): Promise<boolean> => this.#all((host) => this.#established(host, options))
    await until('the sessions of the mesh', live)
    for (const host of this.hosts) {
      for (const peer of deadPeers) await host.birdc(`disable ${sessionName(peer)}`)
      for (const peer of deadPeers) await host.birdc(`enable ${sessionName(peer)}`)
    }
    await this.untilSettled(options)
  }

  async #settled(options: ResetOptions): Promise<boolean> {
    return (
      (await this.#all((host) => this.#established(host, options))) &&
      (await this.#all(async (host) => !(await birdRecovering(host.birdSocketPath())))) &&
      (await this.#all((host) => this.#podsReachable(host)))
    )
  }

  async #established(host: Host, { extraPeers = [] }: ResetOptions): Promise<boolean> {
    const sessions = await birdSessions(host.birdSocketPath())
    const others = this.hosts.filter((other) => other !== host).map(({ address }) => address)
    return [...others, ...extraPeers].every((address) =>
      sessions.some(({ name, state }) => name === sessionName(address) && state === 'Established'),
    )
  }

  async #podsReachable(host: Host): Promise<boolean> {
    const ping = ['nsenter', `--net=${podNamespace(host.name)}`, 'ping', '-n', '-q', '-c', '1', '-W', '1']
    for (const other of this.hosts) await execOk([...ping, other.pod])
    return true
  }

  async #all(check: (host: Host) => Promise<boolean>): Promise<boolean> {
    return !(await Promise.all(this.hosts.map(check))).includes(false)
  }
}
