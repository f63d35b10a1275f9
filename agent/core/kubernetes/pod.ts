import type { ObjectMeta, OwnerReference } from './object.ts'

/** A container as a pod or a template names it. */
export interface PodContainerSpec {
  name: string
  image: string
}

/** What else the agent reads of a container; the API server fills in the policy. */
export interface ContainerOfPod extends PodContainerSpec {
  imagePullPolicy?: string
  env?: { name: string; value?: string; valueFrom?: { configMapKeyRef?: { name: string; key: string } } }[]
  envFrom?: { configMapRef?: { name: string } }[]
  volumeMounts?: { name: string; mountPath: string }[]
}

export interface PodSpec {
  containers: ContainerOfPod[]
  initContainers?: ContainerOfPod[]
  volumes?: { configMap?: { name: string } }[]
  imagePullSecrets?: unknown[]
}

/** Of a DaemonSet or a Deployment. */
export interface PodTemplate {
  metadata?: { annotations?: Record<string, string> }
  spec: PodSpec
}

/** What the agent reads of a Pod (core/v1). */
export interface PodObject {
  metadata: ObjectMeta & {
    labels?: Record<string, string>
    deletionTimestamp?: string
    ownerReferences?: OwnerReference[]
  }
  spec: PodSpec & { nodeName?: string; affinity?: Affinity }
  status?: {
    phase?: string
    conditions?: { type: string; status: string; reason?: string; message?: string }[]
    containerStatuses?: PodContainerStatus[]
    initContainerStatuses?: PodContainerStatus[]
  }
}

/** By which the controller of a DaemonSet names the Node of a pod, also of one that is not scheduled yet. */
interface Affinity {
  nodeAffinity?: {
    requiredDuringSchedulingIgnoredDuringExecution?: {
      nodeSelectorTerms: { matchFields?: { key: string; values?: string[] }[] }[]
    }
  }
}

interface PodContainerStatus {
  name: string
  /** `docker-pullable://NAME@DIGEST` of what runs. */
  imageID?: string
  restartCount?: number
  state?: { waiting?: { reason?: string; message?: string }; running?: { startedAt?: string } }
  lastState?: { terminated?: { exitCode?: number; reason?: string } }
}

/** The Node that a pod runs on, or will run on. */
export function nodeOf({ spec: { nodeName, affinity } }: PodObject): string | undefined {
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  const named = terms?.flatMap(({ matchFields = [] }) => matchFields)
  return nodeName ?? named?.find(({ key }) => key === 'metadata.name')?.values?.[0]
}

/** Why a pod has not come up, as its status says; null where it says nothing. */
export function whyWaiting({ status = {} }: PodObject): string | null {
  const { phase, initContainerStatuses = [], containerStatuses = [] } = status
  const waiting = [...initContainerStatuses, ...containerStatuses].find(
    ({ state }) => state?.waiting?.reason !== undefined && state.waiting.reason !== 'PodInitializing',
  )
  const { reason, message } = waiting?.state?.waiting ?? {}
  if (waiting && reason !== undefined)
    return `${waiting.name}: ${reason}${message === undefined ? '' : `: ${message}`}`
  return phase === undefined ? null : `the pod is ${phase}`
}
