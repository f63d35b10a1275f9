import type { BgpNeighbor } from './bird/neighbors.ts'
import type { BirdEndpoint, BirdUp } from './bird/view.ts'
import type { KubeletFacts } from './cni/kubelet.ts'
import type { KubeletDirectory } from './cni/kubelet-directories.ts'
import type { ObservedDatastore } from './datastore/observed.ts'
import type { GivenFile } from './docker/file-access.ts'
import type { ContainerJson, ImageJson } from './docker/json.ts'
import type { Problem } from './errors.ts'
import type { ObservedConfigMap } from './kubernetes/config-map.ts'
import type { ObservedDaemonSet } from './kubernetes/daemon-set.ts'
import type { ObservedDeployment } from './kubernetes/deployment.ts'
import type { ObservedCluster } from './kubernetes/node.ts'
import type { FoundManifest } from './kubernetes/observed-manifest.ts'
import type { ObservedPod } from './pod/static-pod.ts'
import type { ObservedAlong } from './unit/along.ts'
import type { UnitSource } from './unit/commands.ts'
import type { Claim } from './unit/keeps.ts'
import type { SharingUnit } from './unit/shared.ts'
import type { UnitState } from './unit/state.ts'

/** Who keeps the container running, and what shows it. */
export type Owner =
  | { kind: 'docker' }
  | { kind: 'kubelet'; why: string }
  | { kind: 'daemonset'; namespace: string; name: string; why: string }
  | { kind: 'deployment'; namespace: string; name: string; why: string }
  | { kind: 'static-pod'; manifest: string; why: string }
  | { kind: 'systemd'; unit: string; why: string }

/** The unit that runs a container, as systemd has it and as its files have it. */
export interface ObservedUnit {
  state: UnitState
  source: UnitSource
  /** Those of its files that are symbolic links. */
  links: string[]
  /** Its files, and the directories of its drop-ins, that cannot be written from here. */
  readOnly?: string[]
  /** Other units that read its environment files. */
  sharers?: SharingUnit[]
  /** What of its commands keeps the container, where it is no `docker run` that can be read. */
  claim?: Claim | null
  /** It is not up, and the next boot starts it. */
  standsBy?: boolean
  /** Other units that a restart of it concerns. */
  along?: ObservedAlong[]
  /** Its lines that may write to the directory of the CNI plugins. */
  writes?: string[]
}

/** A BIRD daemon that answers. */
export interface ObservedDaemon {
  endpoint: BirdEndpoint
  view: BirdUp
  /** As its config has them. */
  neighbors: BgpNeighbor[]
  /** Where it takes its neighbors' connections. */
  listenPort: number
  /** Graceful-restart time that it announces to its peers. */
  announcedMs: number
}

export interface ObservedNode {
  container: ContainerJson
  /** Null when the image was pruned. */
  image: ImageJson | null
  owner: Owner
  /** Null where no unit runs the container. */
  unit: ObservedUnit | null
  /** Where a DaemonSet keeps it, or why that cannot be told; absent elsewhere, and in a journal of before. */
  daemonSet?: ObservedDaemonSet | { problem: Problem }
  /** What else of this host would start it beside its owner. */
  claims?: Claim[]
  /** `bird`, or what CALICO_NETWORKING_BACKEND says. */
  backend: string
  /** Since the container started; null where it does not run. */
  upMs: number | null
  daemons: ObservedDaemon[]
  /** The shortest graceful-restart time that a daemon with sessions announces. */
  announcedMs: number
  /** Null where it cannot be told where it is, and where no rule asks. */
  datastore: ObservedDatastore | null
}

/** The kubelet keeps the container, by a manifest or by nothing that is known to be changeable. */
export function isHosted({ kind }: Owner): boolean {
  return kind === 'kubelet' || kind === 'static-pod'
}

/** The container of kube-controllers, or of kube-policy-controller as it was called up to 2.5. */
export interface ObservedControllers {
  container: ContainerJson
  /** Null when the image was pruned. */
  image: ImageJson | null
  owner: Owner
  /** Null where no unit runs the container. */
  unit: ObservedUnit | null
  /** What else of this host would start it beside its owner. */
  claims?: Claim[]
  /** Where the kubelet keeps it by a manifest of this host. */
  pod?: ObservedPod | undefined
  /** What it is told to read of what is mounted; absent where they are left alone, and in a journal of before. */
  given?: GivenFile[]
}

/** The image that is asked for, as this host and its registry know it. */
export interface ObservedImage {
  ref: string
  local: ImageJson | null
  remote: { digest: string; platforms: string[] } | { error: Problem } | { unasked: true }
}

export interface InstalledPlugin {
  name: string
  /** Hex; null where there is no such file. */
  sha256: string | null
  /** As it prints it. */
  version: string | null
}

/** A plugin that was asked where it lies; null where it could not be run there. */
export interface TriedPlugin {
  name: string
  known: string[] | null
}

/** The CNI plugins that are asked for, as they are on this host and in their source. */
export interface ObservedCni {
  installed: InstalledPlugin[]
  /** Null where the image must be pulled first, or a problem says why it cannot be told. */
  offered: { name: string; sha256: string }[] | null
  /** Those that could be tried before they are staged; absent in a journal of before. */
  tried?: TriedPlugin[]
  /** Of the source; null where only the plugins themselves can tell. */
  version: string | null
  /** Null where the source is none. */
  image: ObservedImage | null
  /** Whether calico/node wrote this host's name down, and whether the config lets that file be missing. */
  nodename: { written: boolean; optional: boolean }
  problems: Problem[]
}

/** The text of Calico's CNI config, and what the merge patch makes of it. */
export interface CniConfigChange {
  path: string
  before: string
  after: string
  /** Binaries that the kubelet needs for the config as it shall be. */
  plugins: string[]
  /** Version of the CNI specification that it asks its plugins for. */
  cniVersion: string
}

/** A plugin of the config, as it is in the binary directory now. */
export interface ObservedPlugin {
  name: string
  path: string
  isThere: boolean
  /** Versions of the CNI specification that it knows, or why they are not known; null where it was not asked. */
  versions: string[] | Problem | null
}

export interface ObservedCniConfig {
  /** Null where the problems stand against it. */
  change: CniConfigChange | null
  /** Empty where the config is as asked already. */
  plugins: ObservedPlugin[]
  /** Null where it need not be asked. */
  kubelet: KubeletFacts | null
  problems: Problem[]
}

/** Versions of what works beside calico/node on this host; null where that is not known. */
export interface Companions {
  cni: string | null
  controllers: string | null
}

export interface Observed {
  /** `runtime`: what runs the pods of this host where that is not Docker; absent for Docker. */
  engine: { name: string; architecture: string; os: string; runtime?: string }
  node: ObservedNode | null
  /** Every other calico/node that runs here. */
  otherNodes: { id: string; name: string; image: string }[]
  /** Of the node; null where none is asked for. */
  image: ObservedImage | null
  /** Of the FlexVolume driver that the DaemonSet installs; absent where no release is asked for, and in a journal of before. */
  flexvol?: ObservedImage
  /** Null where no source is given. */
  cni: ObservedCni | null
  /** Null where it is left alone. */
  cniConfig: ObservedCniConfig | null
  /** Null where this host has no container of that name: another host of the cluster runs them. */
  controllers: ObservedControllers | null
  /**
   * The Deployment that keeps the controllers, on this host or another one, or why it cannot be told or changed; absent
   * where none does, and in a journal of before.
   */
  deployment?: ObservedDeployment | { problem: Problem }
  /** Of the controllers; null where none is asked for, or none run that a release could bring up to date. */
  controllersImage: ObservedImage | null
  companions: Companions
  /** That Calico's pods read, or why it cannot be changed; absent where none is asked for, and in a journal of before. */
  configMap?: ObservedConfigMap | { problem: Problem }
  /** Absent where no manifest is asked for, and in a journal of before. */
  manifest?: FoundManifest
  /** Absent where no cluster is configured, and in a journal of before. */
  cluster?: ObservedCluster
  /** Absent where no CNI is asked for, and in a journal of before. */
  kubeletDirectories?: KubeletDirectory[]
  /** What could not be observed as expected; the preflight rule of the same code reports it. */
  problems: Problem[]
}
