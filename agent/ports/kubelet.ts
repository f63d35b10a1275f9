import type { KubeletFacts } from '../core/kubelet.ts'

/** The kubelet's unit. */
export interface Kubelet {
  look(unit: string): Promise<KubeletFacts>
  /** When its main process began, monotonic microseconds of this boot; null where it does not run. */
  startedAt(unit: string): Promise<number | null>
  /** @throws AgentError `kubelet-failed` */
  restart(unit: string): Promise<void>
}
