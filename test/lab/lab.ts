import { rename } from 'node:fs/promises'
import { copy } from 'fs-extra/esm'
import { Etcd } from './etcd.ts'
import { Host } from './host.ts'
import { Kubernetes } from './kubernetes/cluster.ts'
import { readLabFile } from './lab-file.ts'
import { Mesh } from './mesh.ts'
import { labPath } from './paths.ts'
import { until } from './poll.ts'
import { type Registry, registryClient } from './registry-client.ts'
import { Router } from './router.ts'

/** A running lab. */
export class Lab {
  readonly hosts: readonly Host[]
  readonly registry: Registry = registryClient()

  constructor(hosts: readonly Host[]) {
    this.hosts = hosts
  }

  /** Puts the agent's executable on all hosts: /usr/local/bin/agent, which is also `calico-agent`. */
  async installAgent(executable: string, name = 'agent'): Promise<void> {
    const target = labPath(`agent/${name}`)
    const next = `${target}.${process.pid}`
    await copy(executable, next)
    await rename(next, target)
  }

  host(name: string): Host {
    const found = this.hosts.find((host) => host.name === name)
    if (found) return found
    throw new Error(`cannot find ${name}: the lab has ${this.hosts.map((host) => host.name).join(', ')}`)
  }

  /** Hosts that are each other's BGP peers. */
  mesh(hosts: readonly Host[]): Mesh {
    return new Mesh(hosts, this.registry)
  }

  /** The mesh of a vitest worker: worker k has hosts 2k-1 and 2k, so that workers do not meet; LAB_PAIR picks k. */
  workerMesh(): Mesh {
    const worker = workerNumber()
    const hosts = this.hosts.slice(2 * (worker - 1), 2 * worker)
    if (hosts.length === 2) return this.mesh(hosts)
    throw new Error(`cannot give worker ${worker} two hosts: the lab has ${this.hosts.length}`)
  }

  /** The last host, which is of no worker's mesh: for the one file that needs a third. */
  spareHost(): Host {
    const spare = this.hosts.length % 2 === 1 ? this.hosts.at(-1) : undefined
    if (spare) return spare
    throw new Error(`cannot find a spare host: the lab has ${this.hosts.length}`)
  }

  /** calico/node's datastore, on the switch: reached from every host. Each worker has its own; it runs once it is started. */
  etcd(kind: 'plain' | 'tls'): Etcd {
    return new Etcd(kind, workerNumber())
  }

  /** Each worker has its own; it runs once it is started, and takes hosts of its worker as nodes. */
  kubernetes(): Kubernetes {
    return new Kubernetes(workerNumber(), this.registry)
  }

  /** A further BGP speaker on the wire, cheap to start and to kill. Addresses from 192.0.2.100 are free. */
  router(address: string): Router {
    return new Router(address)
  }
}

const workerNumber = (): number => Number(process.env['LAB_PAIR'] ?? process.env['VITEST_POOL_ID'] ?? 1)

/** The lab that is running. */
export async function attachLab(): Promise<Lab> {
  const { hosts } = await readLabFile().catch((cause: unknown) => {
    throw new Error('cannot find a running lab: run ./scripts/lab up', { cause })
  })
  return new Lab(await Promise.all(hosts.map(attachHost)))
}

/** Another worker may have cut the power of its host for a moment. */
async function attachHost(identity: Parameters<typeof Host.attach>[0]): Promise<Host> {
  let host: Host | undefined
  const attached = async (): Promise<boolean> => {
    host = await Host.attach(identity)
    return true
  }
  await until(`${identity.name} to be on`, attached)
  if (!host) throw new Error(`internal error: ${identity.name} is on and not attached`)
  return host
}
