import type Dockerode from 'dockerode'
import type { Host } from '../test/lab/index.ts'

/** A container like the host's calico-node on another image, created and not started: what any careful hand does. */
export async function prepareTwin(host: Host, image: string, name: string): Promise<Dockerode.Container> {
  const { Config, HostConfig } = await host.docker.getContainer('calico-node').inspect()
  const { Env, Labels } = Config
  return await host.docker.createContainer({ name, Image: image, Env, Labels, HostConfig })
}
