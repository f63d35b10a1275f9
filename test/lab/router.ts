import { registryAddress, registryPort } from './addresses.ts'
import { outerEngine } from './engine.ts'
import { plugIn } from './net.ts'
import { nodeEnvironment } from './node-run.ts'
import { hostPid } from './power.ts'

export type RouterOptions = {
  peers: readonly string[]
  tag?: string
  env?: Readonly<Record<string, string>>
}

/** calico/node in a bare container on the wire: a BGP peer without a host around it. */
export class Router {
  readonly address: string
  readonly name: string

  constructor(address: string) {
    this.address = address
    this.name = `router-${address.split('.').at(-1) ?? ''}`
  }

  async start({ peers, tag = 'v2.6.5', env = {} }: RouterOptions): Promise<void> {
    await this.remove()
    const image = `${registryAddress}:${registryPort}/calico/node:${tag}`
    await pull(image)
    const container = await outerEngine().createContainer({
      name: this.name,
      Image: image,
      Env: Object.entries(nodeEnvironment(this, { peers, env })).map(([name, value]) => `${name}=${value}`),
      HostConfig: { NetworkMode: 'none', Privileged: true },
    })
    await container.start()
    await plugIn(this.name.replace('router', 'r'), this.address, await hostPid(this.name))
  }

  /** Ends it without a word to its peers, and takes it off the wire. */
  async kill(): Promise<void> {
    await outerEngine().getContainer(this.name).kill({ signal: 'KILL' })
  }

  async remove(): Promise<void> {
    const containers = await outerEngine().listContainers({
      all: true,
      filters: { name: [`^/${this.name}$`] },
    })
    for (const { Id } of containers) await outerEngine().getContainer(Id).remove({ force: true })
  }
}

async function pull(image: string): Promise<void> {
  const docker = outerEngine()
  const stream = await docker.pull(image)
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(stream, (error) => {
      if (error) reject(error)
      else resolve()
    })
  })
}
