import type { Host } from '../host.ts'

export type HostedCalico = {
  /** The nodes: each is the other's BGP peer. */
  hosts: readonly Host[]
  /** Calico's release. Default v3.17.6. */
  release?: string
  /** Tags that differ from the release's: a bad image, say. */
  node?: string
  cni?: string
  controllers?: string
  updateStrategy?: 'RollingUpdate' | 'OnDelete'
  /** Further environment of calico-node; wins over what is set here. */
  env?: Readonly<Record<string, string>>
  /** Further keys of the ConfigMap; they win as well. */
  config?: Readonly<Record<string, string>>
}

export type HostedImages = { node: string; cni: string; controllers: string }

/** Metadata of one of Calico's objects. */
export const named = (name: string): object => ({
  name,
  namespace: 'kube-system',
  labels: { 'k8s-app': name },
})
