import type { PullApi } from '../../../agent/adapters/pods/pull.ts'
import type { AgentError } from '../../../agent/core/errors.ts'
import type { NodeObject } from '../../../agent/core/kubernetes/node.ts'
import type { PodObject } from '../../../agent/core/kubernetes/pod.ts'
import type { Kind, Kubernetes, KubernetesObjects, ObjectRef } from '../../../agent/ports/kubernetes.ts'

export const CRI_DIGEST = `sha256:${'d'.repeat(64)}`

type Status = NonNullable<PodObject['status']>

/** Pods and a Node, and what the kubelet says of the pods that pull: a status for each look, the last one for good. */
export class FakePodApi implements PullApi, Pick<Kubernetes, 'thisNode' | 'get'> {
  readonly pods: PodObject[] = []
  /** Of the pods that pull. */
  readonly pulls: PodObject[] = []
  readonly ops: string[] = []
  node: NodeObject | undefined
  away: AgentError | null = null
  forbidden: AgentError | null = null
  statuses: Status[] = []

  async thisNode(): Promise<NodeObject> {
    await this.#answer('node')
    if (this.node === undefined) throw new Error('the test has no Node')
    return this.node
  }

  async get<K extends Kind>({ name }: ObjectRef<K>): Promise<KubernetesObjects[K] | null> {
    await this.#answer(`get ${name}`)
    const found = this.pods.find(({ metadata }) => metadata.name === name)
    return (structuredClone(found) ?? null) as KubernetesObjects[K] | null
  }

  async list<K extends Kind>(): Promise<KubernetesObjects[K][]> {
    await this.#answer('list')
    const status = this.statuses.length > 1 ? this.statuses.shift() : this.statuses[0]
    return this.pulls.map((pod) => ({ ...pod, ...(status && { status }) })) as KubernetesObjects[K][]
  }

  async create<K extends Kind>(_ref: ObjectRef<K>, object: unknown): Promise<KubernetesObjects[K]> {
    await this.#answer('create')
    if (this.forbidden) throw this.forbidden
    const pod = object as PodObject
    pod.metadata.uid = `pull-${this.ops.length}`
    this.pulls.push(pod)
    return pod as KubernetesObjects[K]
  }

  async remove(_ref: ObjectRef<Kind>, uid: string): Promise<void> {
    await this.#answer('remove')
    const at = this.pulls.findIndex(({ metadata }) => metadata.uid === uid)
    if (at >= 0) this.pulls.splice(at, 1)
  }

  async checkRight(verb: string): Promise<void> {
    await this.#answer(`may ${verb}`)
  }

  #answer(op: string): Promise<void> {
    this.ops.push(op)
    return this.away ? Promise.reject(this.away) : Promise.resolve()
  }
}

const waiting = (reason: string, message?: string): Status => ({
  phase: 'Pending',
  containerStatuses: [{ name: 'pull', state: { waiting: { reason, ...(message && { message }) } } }],
})

/** As a kubelet of 1.23 with containerd 1.6 reports them. */
export const STATUS = {
  pending: { phase: 'Pending' },
  creating: waiting('ContainerCreating'),
  missing: waiting(
    'ErrImagePull',
    'rpc error: code = NotFound desc = failed to pull and unpack image "registry.lab:5000/calico/node:v0": failed to resolve reference "registry.lab:5000/calico/node:v0": registry.lab:5000/calico/node:v0: not found',
  ),
  refused: waiting(
    'ErrImagePull',
    'rpc error: code = Unknown desc = dial tcp 192.0.2.9:5000: connect: connection refused',
  ),
  backOff: waiting('ImagePullBackOff', 'Back-off pulling image'),
  badName: waiting('InvalidImageName', 'Failed to apply default image tag'),
  full: { phase: 'Failed', reason: 'OutOfpods', message: 'Pod Node didn’t have enough resource: pods' },
  pulled: {
    phase: 'Failed',
    containerStatuses: [
      {
        name: 'pull',
        imageID: `quay.io/calico/node@${CRI_DIGEST}`,
        state: { terminated: { exitCode: 128, reason: 'StartError' } },
      },
    ],
  },
} satisfies Record<string, Status>
