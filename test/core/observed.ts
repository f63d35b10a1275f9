import type { BirdUp } from '../../agent/core/bird/view.ts'
import type { ContainerConfig, ContainerJson, HostConfig, ImageJson } from '../../agent/core/docker/json.ts'
import type { Observed, ObservedImage, ObservedNode, ObservedUnit } from '../../agent/core/model.ts'
import type { UnitSource } from '../../agent/core/unit/commands.ts'
import type { UnitState } from '../../agent/core/unit/state.ts'
import type { Wanted } from '../../agent/core/wanted.ts'
import { session, upView } from '../fakes/bird.ts'
import { unitOf } from './unit/units.ts'

export const digest = (letter: string): string => `sha256:${letter.repeat(64)}`

/** An image as Docker has it: known in the repositories under their digests. */
export function image(id: string, ...RepoDigests: string[]): ImageJson {
  return {
    Id: digest(id),
    RepoTags: [],
    RepoDigests,
    Architecture: 'amd64',
    Os: 'linux',
    Size: 1,
    Config: {},
  }
}

interface Differences {
  Config?: Partial<ContainerConfig>
  HostConfig?: Partial<HostConfig>
  Image?: string
  Running?: boolean
}

export function container({
  Config,
  HostConfig: host,
  Image,
  Running = true,
}: Differences = {}): ContainerJson {
  return {
    Id: 'c'.repeat(64),
    Name: '/calico-node',
    Image: Image ?? digest('1'),
    State: {
      Status: Running ? 'running' : 'exited',
      Running,
      Pid: 1,
      ExitCode: 0,
      StartedAt: '',
      FinishedAt: '',
    },
    Config: { Image: 'calico/node:v2.6.5', Env: ['NODENAME=host-1'], ...Config },
    HostConfig: { NetworkMode: 'host', RestartPolicy: { Name: 'always' }, ...host },
    Mounts: [],
    NetworkSettings: { Networks: {} },
  }
}

const endpoint = { family: 4, socket: '/var/run/calico/bird.ctl', via: 'host' } as const

export function node(
  changes: Partial<ObservedNode> = {},
  view: BirdUp = upView('old', [session(2)]),
): ObservedNode {
  return {
    container: container(),
    image: image('1', `calico/node@${digest('a')}`),
    owner: { kind: 'docker' },
    unit: null,
    backend: 'bird',
    upMs: 86_400_000,
    daemons: [{ endpoint, view, neighbors: [], listenPort: 179, announcedMs: 120_000 }],
    announcedMs: 120_000,
    datastore: null,
    ...changes,
  }
}

/** calico-node.service, which runs the container of `node`. */
export function unit(state: Partial<UnitState> = {}, source: UnitSource = UNIT): ObservedUnit {
  return {
    state: {
      unit: source.name,
      load: 'loaded',
      active: 'active',
      sub: 'running',
      type: 'simple',
      hasJob: false,
      fileState: 'enabled',
      fragment: '/etc/systemd/system/calico-node.service',
      dropIns: [],
      environmentFiles: [],
      execStart: [],
      execStop: [],
      commands: [],
      startedBy: [],
      transient: false,
      needsReload: false,
      result: 'success',
      exitStatus: '0',
      ...state,
    },
    source,
    links: [],
  }
}

const UNIT = unitOf('[Service]\nExecStart=/usr/bin/docker run --name=calico-node calico/node:v2.6.5\n')

/** The wanted image, which this host does not have. */
export const newImage: ObservedImage = {
  ref: 'calico/node:v2.6.12',
  local: null,
  remote: { digest: digest('b'), platforms: ['linux/amd64'] },
}

export const unreachable: ObservedImage['remote'] = {
  error: {
    code: 'registry-unreachable',
    severity: 'error',
    message: 'cannot reach quay.io',
    fix: 'check the network',
  },
}

export const wanted: Wanted = {
  node: { image: newImage.ref, container: 'calico-node', manager: 'auto' },
  cni: {
    onlyIfInstalled: false,
    source: null,
    binaries: ['calico', 'calico-ipam'],
    sha256: {},
    binDir: '/opt/cni/bin',
    configDir: '/etc/cni/net.d',
  },
  cniConfig: null,
  controllers: {
    image: null,
    onlyIfInstalled: false,
    container: 'calico-kube-controllers',
    manager: 'auto',
  },
  places: { binDir: '/opt/cni/bin', configDir: '/etc/cni/net.d', configFile: null },
  kubelet: { unit: 'kubelet.service', manifests: null },
  kubernetes: null,
  configMap: null,
  manifest: null,
  birdSockets: [endpoint.socket, '/var/run/calico/bird6.ctl'],
  windowMs: 90_000,
  settleMs: 10_000,
  keepImages: 1,
  release: null,
  allow: [],
}

export function observed(changes: Partial<Observed> = {}): Observed {
  const engine = { name: 'host-1', architecture: 'amd64', os: 'linux' }
  const companions = { cni: null, controllers: null }
  const none = { controllers: null, controllersImage: null }
  const nothing = { otherNodes: [], cni: null, cniConfig: null, ...none, companions, problems: [] }
  return { engine, node: node(), image: newImage, ...nothing, ...changes }
}
