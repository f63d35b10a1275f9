import type { KubeletRestart } from './cni/kubelet.ts'
import type { Json } from './json/merge-patch.ts'
import type { WantedConfigMap } from './kubernetes/config-map.ts'
import type { WantedManifest } from './kubernetes/manifest.ts'
import type { Release } from './release/releases.ts'

/** What the config and the flags ask of this host. Times in milliseconds. */
export interface Wanted {
  /**
   * `image` is null where the node is left alone. `manager: docker` says that nothing but Docker's restart policy keeps
   * the container running, `systemd` that a unit does: `unit`, or the one that is found.
   */
  node: {
    image: string | null
    container: string
    manager: 'auto' | 'docker' | 'systemd'
    unit?: string | undefined
  }
  controllers: WantedControllers
  cni: WantedCni
  /** Null where the config is left alone. */
  cniConfig: WantedCniConfig | null
  /** Where a status looks, whatever is asked for. */
  places: { binDir: string; configDir: string; configFile: string | null }
  /** `manifests` is where its static pods are; null where the kubelet itself is asked. */
  kubelet: { unit: string; manifests: string | null }
  /** Null where this host is no Node, as far as the config says. */
  kubernetes: { cordon: boolean } | null
  /** Null where the ConfigMap is left alone. */
  configMap: WantedConfigMap | null
  /** Of a hosted install; null where none is asked for. */
  manifest: WantedManifest | null
  birdSockets: string[]
  windowMs: number
  settleMs: number
  keepImages: number
  /** The release that was named; `node.image` may be of another one. */
  release: Release | null
  /** Preflight rules that the operator overrides by name. */
  allow: string[]
}

/** What an upgrade can be kept to, by `--only`. */
export const PARTS = ['node', 'cni', 'cni-config', 'config-map', 'controllers'] as const

export type Part = (typeof PARTS)[number]

/** Something is asked of this host. */
export function hasTarget({ node, cni, cniConfig, configMap, controllers }: Wanted): boolean {
  const configs = [cniConfig, configMap]
  return [node.image, cni.source, controllers.image, ...configs].some((asked) => asked !== null)
}

/** The same host, with nothing asked of it. */
export function askingNothing(wanted: Wanted): Wanted {
  return {
    ...wanted,
    node: { ...wanted.node, image: null },
    cni: { ...wanted.cni, source: null },
    cniConfig: null,
    configMap: null,
    manifest: null,
    controllers: { ...wanted.controllers, image: null },
  }
}

export interface WantedControllers {
  /** Null where they are left alone. */
  image: string | null
  /** The image is the release's: a host on which none run is left alone. */
  onlyIfInstalled: boolean
  container: string
  manager: 'auto' | 'docker' | 'systemd' | 'static-pod' | 'deployment'
  unit?: string | undefined
}

/** Where CNI binaries come from. */
export type CniSource =
  | { kind: 'image'; image: string }
  | { kind: 'directory'; path: string }
  | { kind: 'archive'; path: string }

export interface WantedCni {
  /** Null where the plugins are left alone. */
  source: CniSource | null
  /** The source is the release's: a host without plugins is left alone. */
  onlyIfInstalled: boolean
  /** Names of the plugins. */
  binaries: string[]
  /** Hex, by name; not every name needs one. */
  sha256: Record<string, string>
  binDir: string
  /** Where the config is that the kubelet reads. */
  configDir: string
}

export interface WantedCniConfig {
  configDir: string
  /** Null: the Calico config that is found there. */
  configFile: string | null
  /** RFC 7386 merge patch; of a conflist, on its calico plugin. */
  merge: { [key: string]: Json }
  /** Where the plugins of the config are looked for. */
  binDir: string
  kubelet: { unit: string; restart: KubeletRestart }
}
