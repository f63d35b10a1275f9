import type { Json } from '../json/merge-patch.ts'
import type { Namespaced } from '../kubernetes/object.ts'
import type { PodObject } from '../kubernetes/pod.ts'

const NODE_LABEL = 'calico-agent/pulls-on'

/** No program of any image: nothing of an image may run before its turn, and some have no program that does nothing. */
const NO_PROGRAM = '/calico-agent-pulls-this-image-and-runs-nothing'

/** Selects the pods that pull images on a node; `key` stands for the name of the node, which may be too long for a label. */
export function pullPodLabels(key: string): string {
  return `${NODE_LABEL}=${key}`
}

export interface PullPod extends Namespaced {
  node: string
  key: string
  image: string
}

/**
 * A pod that makes the kubelet of one node fetch an image. It is bound to the node, past the scheduler: a cordon does not
 * keep it away. Pull secrets come with the default account of the namespace, of which the pod has no token.
 */
export function pullPod({ namespace, name, node, key, image }: PullPod): Json {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name, labels: { app: 'calico-agent-pull', [NODE_LABEL]: key } },
    spec: {
      nodeName: node,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 0,
      // it needs no address: the CNI may be what is broken
      hostNetwork: true,
      tolerations: [{ operator: 'Exists' }],
      containers: [
        {
          name: 'pull',
          image,
          imagePullPolicy: 'IfNotPresent',
          command: [NO_PROGRAM],
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
        },
      ],
    },
  }
}

export type PullState =
  | { state: 'pulling' }
  /** `imageId`: what the image is, where the kubelet says it. */
  | { state: 'pulled'; imageId: string | null }
  /** The kubelet tries again by itself, unless `isFinal`. */
  | { state: 'failed'; reason: string; isFinal: boolean }

/** While it waits for its turn, or for the pull. */
const BEFORE = ['ContainerCreating', 'PodInitializing']
/** As the kubelet names what went wrong with an image (kubelet/images/types.go). */
const FAILED = ['ErrImagePull', 'ImagePullBackOff', 'RegistryUnavailable', 'ImageInspectError']
const NEVER = ['InvalidImageName', 'ErrImageNeverPull']

/** How far the kubelet is, by the pod's status. That its container cannot be started shows that the image is there. */
export function pullStateOf({ status = {} }: PodObject): PullState {
  const [container] = status.containerStatuses ?? []
  const { waiting, running, terminated } = container?.state ?? {}
  if (terminated || running) return { state: 'pulled', imageId: container?.imageID || null }
  const reason = waiting?.reason
  if (reason === undefined) {
    if (status.phase !== 'Failed') return { state: 'pulling' }
    const { reason: refusal = 'the pod failed', message } = status
    return { state: 'failed', reason: said(refusal, message), isFinal: true }
  }
  if (BEFORE.includes(reason)) return { state: 'pulling' }
  if (NEVER.includes(reason))
    return { state: 'failed', reason: said(reason, waiting?.message), isFinal: true }
  if (FAILED.includes(reason))
    return { state: 'failed', reason: said(reason, waiting?.message), isFinal: false }
  return { state: 'pulled', imageId: container?.imageID || null }
}

function said(reason: string, message: string | undefined): string {
  return message === undefined ? reason : `${reason}: ${message}`
}
