import { CONFIG_ANNOTATION } from '../../agent/core/kubernetes/marks.ts'
import type { PodObject } from '../../agent/core/kubernetes/pod.ts'

export const NAME = 'calico-kube-controllers'
export const NAMESPACE = 'kube-system'
export const LABELS = { 'k8s-app': NAME }

/** What comes of a pod of an image. */
export type Fate = 'runs' | 'crashes' | 'is not pulled' | 'is not scheduled'

export interface Pod {
  serial: number
  image: string
  config: string | undefined
  bornAt: number
  /** When it is gone, once it was told to end. */
  endsAt: number | null
}

export function podName(pod: Pod): string {
  return `${NAME}-${hashOf(pod)}-${pod.serial}`
}

/** As the API server has the pod; its container is being made until it has started. */
export function podObject(pod: Pod, fate: Fate, hasStarted: boolean): PodObject {
  const name = podName(pod)
  const isScheduled = fate !== 'is not scheduled'
  return {
    metadata: {
      ...{ name, namespace: NAMESPACE, uid: `uid-${pod.serial}`, resourceVersion: '1' },
      labels: { ...LABELS, 'pod-template-hash': hashOf(pod) },
      ownerReferences: [{ kind: 'ReplicaSet', name: `${NAME}-${hashOf(pod)}`, controller: true }],
      ...(pod.endsAt !== null && { deletionTimestamp: 'now' }),
      ...annotated(pod),
    },
    spec: { containers: [{ name: NAME, image: pod.image }], ...(isScheduled && { nodeName: 'host-2' }) },
    status: {
      phase: fate === 'runs' && hasStarted ? 'Running' : 'Pending',
      ...(!isScheduled && { conditions: [UNSCHEDULABLE] }),
      containerStatuses: isScheduled
        ? [{ name: NAME, restartCount: 0, ...containerState(fate, hasStarted) }]
        : [],
    },
  }
}

function containerState(fate: Fate, hasStarted: boolean) {
  if (!hasStarted) return { state: { waiting: { reason: 'ContainerCreating' } } }
  return fate === 'runs' ? { state: { running: {} } } : (WAITING[fate] ?? {})
}

/** A strategic merge patch of the Deployment, as far as the agent writes one. */
export interface PatchBody {
  metadata: { resourceVersion?: string; annotations?: Record<string, string | null> }
  spec?: {
    strategy?: { type: string; rollingUpdate: { maxSurge: string } | null }
    template?: {
      metadata?: { annotations: Record<string, string | null> }
      spec?: { containers: { name: string; image: string }[] }
    }
  }
}

export const ENV = [
  { name: 'DATASTORE_TYPE', value: 'kubernetes' },
  { name: 'LOG_LEVEL', valueFrom: { configMapKeyRef: { name: 'calico-config', key: 'log_level' } } },
]

const UNSCHEDULABLE = {
  type: 'PodScheduled',
  status: 'False',
  reason: 'Unschedulable',
  message: '0/2 nodes are available: 2 node(s) were unschedulable.',
}

const WAITING: Partial<Record<Fate, object>> = {
  'is not pulled': {
    state: { waiting: { reason: 'ImagePullBackOff', message: 'Back-off pulling image "registry/x"' } },
  },
  crashes: {
    restartCount: 2,
    state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s restarting failed container' } },
    lastState: { terminated: { exitCode: 1 } },
  },
}

export function withoutNulls({
  type,
  rollingUpdate,
}: {
  type: string
  rollingUpdate: { maxSurge: string } | null
}) {
  return { type, ...(rollingUpdate !== null && { rollingUpdate }) }
}

function hashOf({ image, config = '' }: Pod): string {
  return `${image}${config}`.replace(/\W/g, '')
}

export function annotated({ config }: Pick<Pod, 'config'>): { annotations?: Record<string, string> } {
  return config === undefined ? {} : { annotations: { [CONFIG_ANNOTATION]: config } }
}
