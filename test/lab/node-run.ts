import { asNumber } from './addresses.ts'

export type NodeOptions = {
  /** The full reference. */
  image: string
  /** Addresses of BGP peers, dead ones included. */
  peers?: readonly string[]
  /** Further environment; wins over what is set here. */
  env?: Readonly<Record<string, string>>
  /** Further arguments of `docker run`: --init, --label, -v ... */
  args?: readonly string[]
  /** A command behind the image. */
  command?: readonly string[]
  /** Docker's restart policy; undefined leaves it away (as `--rm` demands). */
  policy?: string | undefined
}

/** The mounts of a non-hosted calico-node (Calico's docs, "calicoctl node run" and "as a service"). */
const mounts = [
  '/lib/modules:/lib/modules',
  '/var/run/calico:/var/run/calico',
  '/var/log/calico:/var/log/calico',
  '/var/lib/calico:/var/lib/calico',
  '/run/docker/plugins:/run/docker/plugins',
]

export function nodeEnvironment(
  host: { name: string; address: string },
  { peers = [], env = {} }: Pick<NodeOptions, 'peers' | 'env'>,
): Record<string, string> {
  return {
    NODENAME: host.name,
    IP: host.address,
    AS: String(asNumber),
    CALICO_NETWORKING_BACKEND: 'bird',
    FELIX_DEFAULTENDPOINTTOHOSTACTION: 'ACCEPT',
    LAB_PEERS: peers.join(','),
    ...env,
  }
}

/** The `docker run` of Calico's docs for a host, as argv. */
export function nodeRunArgs(host: { name: string; address: string }, options: NodeOptions): string[] {
  const { image, args = [], command = [] } = options
  const policy = 'policy' in options ? options.policy : 'always'
  return [
    'docker',
    'run',
    '--detach',
    '--net=host',
    '--privileged',
    '--name=calico-node',
    ...(policy === undefined ? [] : [`--restart=${policy}`]),
    ...Object.entries(nodeEnvironment(host, options)).flatMap(([name, value]) => ['-e', `${name}=${value}`]),
    ...mounts.flatMap((mount) => ['-v', mount]),
    ...args,
    image,
    ...command,
  ]
}
