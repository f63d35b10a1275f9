import type { KubeletFacts } from '../core/cni/kubelet.ts'
import type { KubeletDirectory } from '../core/cni/kubelet-directories.ts'

/** The kubelet's unit. */
export interface Kubelet {
  look(unit: string): Promise<KubeletFacts>
  /** When its main process began, monotonic microseconds of this boot; null if it is not running. */
  startedAt(unit: string): Promise<number | null>
  /** The directory of static pods' manifests in the kubelet's settings; null if not set. */
  manifests(unit: string): Promise<string | null>
  /** The CNI directories in its flags, compared with those in the agent's config. */
  cniDirectories(unit: string, asked: { configDir: string; binDir: string }): Promise<KubeletDirectory[]>
  /** @throws AgentError `kubelet-failed` */
  restart(unit: string): Promise<void>
}
