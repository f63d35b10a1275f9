import type { ObjectMeta, OwnerReference } from './object.ts'

/** By which the controller of a DaemonSet names the ControllerRevision that a pod was made from. */
export const REVISION_LABEL = 'controller-revision-hash'

/** A container as a pod or a template names it. */
export interface PodContainerSpec {
  name: string
  image: string
}

/** What else the agent reads of a container; the API server fills in the policy. */
export interface ContainerOfPod extends PodContainerSpec {
  imagePullPolicy?: string
  command?: string[]
  args?: string[]
  env?: { name: string; value?: string; valueFrom?: { configMapKeyRef?: { name: string; key: string } } }[]
  envFrom?: { configMapRef?: { name: string } }[]
  volumeMounts?: { name: string; mountPath: string; subPath?: string; readOnly?: boolean }[]
}

export interface PodSpec {
  containers: ContainerOfPod[]
  initContainers?: ContainerOfPod[]
  volumes?: { name?: string; configMap?: { name: string }; hostPath?: { path: string } }[]
  hostNetwork?: boolean
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
    /** Why the kubelet did not take it, such as `OutOfpods`. */
    reason?: string
    message?: string
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

export interface PodContainerStatus {
  name: string
  /** `RUNTIME://ID`; absent until the kubelet has reported a start. */
  containerID?: string
  /** What was made of it, with the runtime's prefix: `NAME@DIGEST`, or the id of an image without a digest. */
  imageID?: string
  restartCount?: number
  state?: {
    waiting?: { reason?: string; message?: string }
    running?: { startedAt?: string }
    terminated?: Terminated
  }
  lastState?: { terminated?: Terminated }
}

interface Terminated {
  containerID?: string
  exitCode?: number
  reason?: string
  message?: string
}

/** The Node that a pod runs on, or will run on. */
export function nodeOf({ spec: { nodeName, affinity } }: PodObject): string | undefined {
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  const named = terms?.flatMap(({ matchFields = [] }) => matchFields)
  return nodeName ?? named?.find(({ key }) => key === 'metadata.name')?.values?.[0]
}

/** What the kubelet says of the container of that name; undefined where it has not said anything yet. */
export function statusNamed(
  { status }: Pick<PodObject, 'status'>,
  container: string,
): PodContainerStatus | undefined {
  return status?.containerStatuses?.find(({ name }) => name === container)
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
