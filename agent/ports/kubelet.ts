import type { KubeletFacts } from '../core/cni/kubelet.ts'
import type { KubeletDirectory } from '../core/cni/kubelet-directories.ts'

/** The kubelet's unit. */
export interface Kubelet {
  look(unit: string): Promise<KubeletFacts>
  /** When its main process began, monotonic microseconds of this boot; null where it does not run. */
  startedAt(unit: string): Promise<number | null>
  /** The directory of static pods' manifests, as the kubelet was told of it; null where it was not. */
  manifests(unit: string): Promise<string | null>
  /** The directories of CNI configs and plugins that it was told of, beside those that the agent is asked for. */
  cniDirectories(unit: string, asked: { configDir: string; binDir: string }): Promise<KubeletDirectory[]>
  /** @throws AgentError `kubelet-failed` */
  restart(unit: string): Promise<void>
}
