import { AgentError } from '../../agent/core/errors.ts'
import type { Json } from '../../agent/core/json/merge-patch.ts'
import type { DeploymentObject } from '../../agent/core/kubernetes/deployment.ts'
import { CONFIG_ANNOTATION } from '../../agent/core/kubernetes/marks.ts'
import type { NodeObject } from '../../agent/core/kubernetes/node.ts'
import type { PodObject } from '../../agent/core/kubernetes/pod.ts'
import type { Kind, Kubernetes, KubernetesObjects, ObjectRef } from '../../agent/ports/kubernetes.ts'
import type { FakeClock } from './clock.ts'
import {
  annotated,
  ENV,
  type Fate,
  LABELS,
  NAME,
  NAMESPACE,
  type PatchBody,
  type Pod,
  podName,
  podObject,
  withoutNulls,
} from './kubernetes-deployment-objects.ts'

interface Spec {
  image: string
  /** The mark of the config, among the annotations of the template. */
  config?: string
  strategy: { type: string; rollingUpdate?: { maxSurge: string } }
  replicas: number
  paused?: boolean
}

const [TICK_MS, END_MS, START_MS, READY_MS] = [100, 500, 1_000, 1_500]

/** One Deployment of kube-controllers, its controller and a kubelet, which go on whatever becomes of the agent. */
export class FakeDeployment implements Kubernetes {
  /** Thrown by each call. */
  away: AgentError | null = null
  /** What becomes of pods of an image; they run where it is not said. */
  readonly fates = new Map<string, Fate>()
  /** What an admission webhook makes of the image of a new pod. */
  admission: (image: string) => string = (image) => image
  /** What must never happen, as it happened. */
  readonly violations: string[] = []
  /** Called before each call. */
  onCall: (what: string) => void = () => undefined
  keeper: string | null = null
  hasPullSecrets = false
  readonly #clock: FakeClock
  #spec: Spec
  #annotations: Record<string, string> = {}
  #generation = 1
  #version = 1
  #serial = 0
  #pods: Pod[] = []
  #at: number

  constructor(clock: FakeClock, image: string, type = 'Recreate') {
    this.#clock = clock
    const rolling = type === 'RollingUpdate' && { rollingUpdate: { maxSurge: '25%' } }
    this.#spec = { image, strategy: { type, ...rolling }, replicas: 1 }
    this.#at = clock.now()
    this.#create()
    clock.pass(60_000)
  }

  get spec(): Spec {
    return this.#spec
  }

  /** Another one with each change. */
  get version(): number {
    return this.#version
  }

  get annotations(): Record<string, string> {
    return this.#annotations
  }

  /** Names of the pods that there are now. */
  get pods(): string[] {
    this.#catchUp()
    return this.#pods.map((pod) => podName(pod))
  }

  /** Images of the pods that run now. */
  get running(): string[] {
    this.#catchUp()
    return this.#pods.filter((pod) => this.#runs(pod)).map(({ image }) => image)
  }

  /** Somebody else edits it. */
  edit(changes: Partial<Spec>): void {
    this.#catchUp()
    this.#spec = { ...this.#spec, ...changes }
    this.#generation += 1
    this.#version += 1
  }

  async thisNode(): Promise<NodeObject> {
    await this.#answer('thisNode')
    return { metadata: { name: 'host-1', resourceVersion: '1' } }
  }

  async get<K extends Kind>({ kind, name, namespace }: ObjectRef<K>): Promise<KubernetesObjects[K] | null> {
    await this.#answer(`get ${kind}`)
    if (namespace !== NAMESPACE) return null
    const pod = this.#pods.find((one) => podName(one) === name)
    const found = kind === 'Pod' ? pod && this.#podObject(pod) : name === NAME ? this.#object() : undefined
    return (found ?? null) as KubernetesObjects[K] | null
  }

  async list<K extends Kind>(
    _of: Omit<ObjectRef<K>, 'name'>,
    labels: string,
  ): Promise<KubernetesObjects[K][]> {
    await this.#answer('list')
    if (labels !== `k8s-app=${NAME}`) return []
    return this.#pods.map((pod) => this.#podObject(pod)) as KubernetesObjects[K][]
  }

  async patch<K extends Kind>(_ref: ObjectRef<K>, patch: Json): Promise<KubernetesObjects[K]> {
    await this.#answer('patch')
    const { metadata, spec } = this.#checked(patch)
    for (const [key, value] of Object.entries(metadata.annotations ?? {}))
      if (value === null) Reflect.deleteProperty(this.#annotations, key)
      else this.#annotations[key] = value
    const before = JSON.stringify(this.#spec)
    if (spec?.strategy) this.#spec = { ...this.#spec, strategy: withoutNulls(spec.strategy) }
    const image = spec?.template?.spec?.containers.find(({ name }) => name === NAME)?.image
    if (image !== undefined) this.#spec = { ...this.#spec, image }
    const config = spec?.template?.metadata?.annotations[CONFIG_ANNOTATION]
    if (config === null) Reflect.deleteProperty(this.#spec, 'config')
    else if (config !== undefined) this.#spec = { ...this.#spec, config }
    if (JSON.stringify(this.#spec) !== before) this.#generation += 1
    this.#version += 1
    return this.#object() as KubernetesObjects[K]
  }

  async tryPatch<K extends Kind>(_ref: ObjectRef<K>, patch: Json): Promise<null> {
    await this.#answer('tryPatch')
    this.#checked(patch)
    return null
  }

  getObject(): Promise<never> {
    return notThere()
  }

  applyObject(): Promise<never> {
    return notThere()
  }

  tryObject(): Promise<never> {
    return notThere()
  }

  patchObject(): Promise<never> {
    return notThere()
  }

  checkRight(): Promise<void> {
    return this.#answer('checkRight')
  }

  create(): Promise<never> {
    return notThere()
  }

  remove(): Promise<void> {
    return Promise.reject(new Error('nothing of a Deployment is removed'))
  }

  #answer(what: string): Promise<void> {
    this.onCall(what)
    this.#catchUp()
    return this.away ? Promise.reject(this.away) : Promise.resolve()
  }

  #checked(patch: Json): PatchBody {
    const body = patch as unknown as PatchBody
    const { resourceVersion } = body.metadata
    if (resourceVersion !== undefined && resourceVersion !== String(this.#version))
      throw new AgentError('kubernetes-conflict', 'cannot patch: it has changed', {
        fix: '',
        isTransient: true,
      })
    return body
  }

  /** What its controller and the kubelet have done since. */
  #catchUp(): void {
    const now = this.#clock.now()
    for (; this.#at + TICK_MS <= now; this.#at += TICK_MS) {
      this.#pods = this.#pods.filter(({ endsAt }) => endsAt === null || endsAt > this.#at)
      this.#reconcile()
      if (this.#pods.filter((pod) => this.#runs(pod)).length > 1) this.violations.push('two run')
    }
  }

  #reconcile(): void {
    const { strategy, replicas, paused } = this.#spec
    if (paused === true) return
    const isNew = (pod: Pod): boolean => this.#isOfTemplate(pod) && pod.endsAt === null
    const others = this.#pods.filter((pod) => !isNew(pod) || replicas === 0)
    const current = this.#pods.find(isNew)
    const mayEnd = strategy.type === 'Recreate' || (current !== undefined && this.#isReady(current))
    if (mayEnd) for (const pod of others) pod.endsAt ??= this.#at + END_MS
    const mayCreate = strategy.type !== 'Recreate' || others.length === 0
    if (current === undefined && mayCreate && replicas > 0) this.#create()
  }

  #create(): void {
    this.#serial += 1
    this.#version += 1
    const { image, config } = this.#spec
    this.#pods.push({ serial: this.#serial, image, config, bornAt: this.#at, endsAt: null })
  }

  #isOfTemplate({ image, config }: Pod): boolean {
    return image === this.#spec.image && config === this.#spec.config
  }

  #runs(pod: Pod): boolean {
    return this.#fateOf(pod) === 'runs' && this.#hasStarted(pod)
  }

  #hasStarted({ bornAt }: Pod): boolean {
    return this.#at - bornAt >= START_MS
  }

  #isReady(pod: Pod): boolean {
    return this.#fateOf(pod) === 'runs' && this.#at - pod.bornAt >= READY_MS && pod.endsAt === null
  }

  #fateOf({ image }: Pod): Fate {
    return this.fates.get(image) ?? 'runs'
  }

  #podObject(pod: Pod): PodObject {
    const image = this.admission(pod.image)
    return podObject({ ...pod, image }, this.#fateOf(pod), this.#hasStarted(pod))
  }

  #object(): DeploymentObject {
    const { image, config, strategy, replicas, paused } = this.#spec
    const staying = this.#pods.filter(({ endsAt }) => endsAt === null)
    const owners = this.keeper === null ? [] : [{ kind: 'Installation', name: this.keeper, controller: true }]
    return {
      metadata: {
        ...{ name: NAME, namespace: NAMESPACE, uid: 'deployment', generation: this.#generation },
        resourceVersion: String(this.#version),
        annotations: { ...this.#annotations },
        ownerReferences: owners,
      },
      spec: {
        ...{ replicas, strategy, selector: { matchLabels: LABELS } },
        ...(paused !== undefined && { paused }),
        template: {
          metadata: annotated({ config }),
          spec: {
            containers: [{ name: NAME, image, env: ENV }],
            ...(this.hasPullSecrets && { imagePullSecrets: [{}] }),
          },
        },
      },
      status: {
        observedGeneration: this.#generation,
        replicas: staying.length,
        updatedReplicas: staying.filter((pod) => this.#isOfTemplate(pod)).length,
        availableReplicas: staying.filter((pod) => this.#isReady(pod)).length,
      },
    }
  }
}

function notThere(): Promise<never> {
  return Promise.reject(new Error('there is nothing but a Deployment'))
}
