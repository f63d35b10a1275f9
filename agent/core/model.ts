import type { BirdEndpoint, BirdUp } from './bird-view.ts'
import type { ContainerJson, ImageJson } from './docker-json.ts'
import type { Problem } from './errors.ts'
import type { Release } from './releases.ts'

/** What the config and the flags ask of this host. Times in milliseconds. */
export interface Wanted {
  /** `manager: docker` says that nothing but Docker's restart policy keeps the container running. */
  node: { image: string; container: string; manager: 'auto' | 'docker' }
  birdSockets: string[]
  windowMs: number
  settleMs: number
  keepImages: number
  /** The release that was named; `node.image` may be of another one. */
  release: Release | null
  /** Preflight rules that the operator overrides by name. */
  allow: string[]
}

/** Who keeps the container running, and what shows it. */
export type Owner =
  | { kind: 'docker' }
  | { kind: 'kubelet'; why: string }
  | { kind: 'systemd'; unit: string; why: string }

/** A BIRD daemon that answers. */
export interface ObservedDaemon {
  endpoint: BirdEndpoint
  view: BirdUp
}

export interface ObservedNode {
  container: ContainerJson
  /** Null when the image was pruned. */
  image: ImageJson | null
  owner: Owner
  /** `bird`, or what CALICO_NETWORKING_BACKEND says. */
  backend: string
  daemons: ObservedDaemon[]
  /** Graceful-restart time that this BIRD announces to its peers. */
  announcedMs: number
}

/** The image that is asked for, as this host and its registry know it. */
export interface ObservedImage {
  ref: string
  local: ImageJson | null
  remote: { digest: string; platforms: string[] } | { error: Problem }
}

/** Versions of what works beside calico/node on this host; null where that is not known. */
export interface Companions {
  cni: string | null
  controllers: string | null
}

export interface Observed {
  engine: { name: string; architecture: string; os: string }
  node: ObservedNode | null
  image: ObservedImage
  companions: Companions
  /** What could not be observed as expected; the preflight rule of the same code reports it. */
  problems: Problem[]
}
