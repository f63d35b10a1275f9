import { createHash } from 'node:crypto'
import type { Json } from '../../agent/core/json/merge-patch.ts'
import { type ConfigMapObject } from '../../agent/core/kubernetes/config-map.ts'
import { type DaemonSetObject, TEMPLATE_ANNOTATION } from '../../agent/core/kubernetes/daemon-set.ts'
import { marksOf } from '../../agent/core/kubernetes/marks.ts'
import type { ContainerOfPod, PodObject, PodTemplate } from '../../agent/core/kubernetes/pod.ts'
import { hasEntries, imageEntry, imagesOf, markEntries } from '../../agent/core/kubernetes/template.ts'
import type { Kind, KubernetesObjects, ObjectRef } from '../../agent/ports/kubernetes.ts'
import type { FakeClock } from './clock.ts'
import { checkVersion, FakeKubernetes } from './kubernetes.ts'
import { merged, refused } from './merged.ts'
import { patchedTemplate } from './template-patch.ts'

const NAMESPACE = 'kube-system'
const NAME = 'calico-node'
const LABELS = { 'k8s-app': NAME }
/** calico.yaml's, which its pods read when they start. */
const CONFIG = 'calico-config'
const GENERATION = 'deprecated.daemonset.template.generation'
const GENERATION_LABEL = 'pod-template-generation'
const CONTROLLER_MS = 80
const WATCH_MS = 800

type Changed = (pod: PodObject) => void

/**
 * A Node, a ConfigMap and a DaemonSet whose pods have no grace: a deleted one is gone from the API at once, as calico.yaml has it, and
 * its controller makes the next one.
 */
export class FakeCluster extends FakeKubernetes {
  /** The kubelet of this host hears of its pods. */
  onPod: { added: Changed; gone: Changed } = { added: () => undefined, gone: () => undefined }
  /** How long after a write the controller of the DaemonSet knows of it; until then it goes by what was there before. */
  hearsAfterMs = CONTROLLER_MS
  /** Each write of the agent's; what it throws is the answer, which may come before or after the write. */
  onWrite: (what: string) => void = () => undefined
  /** How much later than its pods the controller has counted them. */
  countsAfterMs = 0
  /** What an admission webhook makes of the image of each container of a new pod. */
  admission: (image: string) => string = (image) => image
  readonly violations: string[] = []
  readonly #host: string
  readonly #clock: FakeClock
  #set: DaemonSetObject
  /** As the controller knows it. */
  #known: DaemonSetObject
  #former: DaemonSetObject
  #configMap: ConfigMapObject
  #pods: PodObject[] = []
  #made = 0
  #versions = 1
  #templates = 1
  readonly #admitted = (one: ContainerOfPod) => ({ ...one, image: this.admission(one.image) })

  constructor(host: string, clock: FakeClock, images: { node: string; cni: string }) {
    super(host)
    this.#host = host
    this.#clock = clock
    this.#set = {
      metadata: { name: NAME, namespace: NAMESPACE, uid: 'set', resourceVersion: '1', generation: 1 },
      spec: {
        selector: { matchLabels: LABELS },
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } },
        template: {
          spec: {
            initContainers: [{ name: 'install-cni', image: images.cni }],
            containers: [{ name: NAME, image: images.node, env: [fromConfig('MTU', 'veth_mtu')] }],
          },
        },
      },
    }
    this.#known = this.#former = this.set
    this.#configMap = {
      metadata: {
        ...{ name: CONFIG, namespace: NAMESPACE, uid: 'map', resourceVersion: '1' },
        creationTimestamp: clock.date().toISOString(),
      },
      data: { veth_mtu: '1440', calico_backend: 'bird' },
    }
  }

  get configMap(): ConfigMapObject {
    return structuredClone(this.#configMap)
  }

  /** By a merge patch, which may be somebody else's. */
  writeConfig(patch: Json): void {
    this.#configMap = merged(this.#configMap as unknown as Json, patch) as unknown as ConfigMapObject
    const { metadata, data } = this.#configMap
    metadata.managedFields = [{ time: this.#clock.date().toISOString() }]
    this.#versions += 1
    metadata.resourceVersion = String(this.#versions)
    this.ops.push(`configmap: ${JSON.stringify(data)}`)
  }

  get set(): DaemonSetObject {
    const set = structuredClone(this.#set)
    set.metadata.annotations = { ...set.metadata.annotations, [GENERATION]: `${this.#templates}` }
    return set
  }

  get pods(): PodObject[] {
    return structuredClone(this.#pods)
  }

  /** The pod of another host, of an image and marks of its own, made since all was heard of. */
  addOther(host: string, image: string, annotations?: Record<string, string>): void {
    this.#known = this.set
    this.#make(host, { image, ...(annotations && { annotations }) })
  }

  /** Somebody else writes it. */
  edit(change: (set: DaemonSetObject) => void): void {
    const before = JSON.stringify(this.#set.spec.template)
    change(this.#set)
    this.#countTemplate(before)
    this.#set.metadata.generation += 1
    this.#touch()
  }

  /** What the controller of the DaemonSet does at once, where it hears of all. */
  sync(): void {
    this.#known = this.set
    this.#control()
  }

  /** Another controller takes over, which does not know of the last write yet. */
  failOver(): void {
    this.#known = this.#former
    this.#hear()
  }

  #control(): void {
    if (this.away !== null) return
    const hosts = new Set([this.#host, ...this.#pods.map(({ spec }) => spec.nodeName ?? '')])
    for (const host of hosts) if (!this.#pods.some(({ spec }) => spec.nodeName === host)) this.#make(host)
    const { metadata, spec } = this.#known
    const updated = this.#pods.filter(
      (pod) =>
        pod.metadata.labels?.[GENERATION_LABEL] === metadata.annotations?.[GENERATION] ||
        hasEntries(spec.template, [...imagesOf(pod.spec).map(imageEntry), ...markEntries(marksOf(pod))]),
    )
    const counted = { desiredNumberScheduled: hosts.size, updatedNumberScheduled: updated.length }
    const before = this.#set.status ?? {}
    const isLate = this.countsAfterMs > 0 && before.updatedNumberScheduled !== updated.length
    this.#set.status = { ...(isLate ? before : counted), observedGeneration: metadata.generation }
    if (isLate)
      void this.#clock.sleep(this.countsAfterMs).then(() => {
        Object.assign(this.#set.status ?? {}, counted)
      })
    if (spec.updateStrategy.type === 'RollingUpdate' && updated.length < hosts.size)
      this.violations.push('the DaemonSet replaces pods by itself')
  }

  override async get<K extends Kind>(ref: ObjectRef<K>): Promise<KubernetesObjects[K] | null> {
    const node = await super.get(ref)
    if (ref.kind === 'Node') return node
    if (ref.kind === 'DaemonSet') return (ref.name === NAME ? this.set : null) as KubernetesObjects[K] | null
    if (ref.kind === 'ConfigMap')
      return (ref.name === CONFIG ? this.configMap : null) as KubernetesObjects[K] | null
    return (this.pods.find(({ metadata }) => metadata.name === ref.name) ?? null) as
      | KubernetesObjects[K]
      | null
  }

  override async list<K extends Kind>(): Promise<KubernetesObjects[K][]> {
    await this.thisNode()
    return this.pods as KubernetesObjects[K][]
  }

  override async patch<K extends Kind>(ref: ObjectRef<K>, patch: Json): Promise<KubernetesObjects[K]> {
    if (ref.kind !== 'DaemonSet' && ref.kind !== 'ConfigMap') return await super.patch(ref, patch)
    await this.thisNode()
    this.onWrite('patch')
    if (ref.kind === 'ConfigMap') {
      checkVersion(this.#configMap, patch)
      this.writeConfig(patch)
      this.onWrite('patched')
      return this.configMap as KubernetesObjects[K]
    }
    const { metadata, spec } = patch as unknown as DaemonSetObject
    if (metadata.resourceVersion !== this.#set.metadata.resourceVersion)
      throw refused('kubernetes-conflict', 'the object has been modified')
    this.#write(metadata.annotations?.[TEMPLATE_ANNOTATION] ?? null, spec)
    this.onWrite('patched')
    return this.set as KubernetesObjects[K]
  }

  override async tryPatch<K extends Kind>(
    ref: ObjectRef<K>,
    patch: Json,
  ): Promise<KubernetesObjects[K] | null> {
    if (ref.kind === 'Node') return await super.tryPatch(ref, patch)
    const template = (patch as { spec?: { template?: PodTemplate } }).spec?.template
    const { set } = this
    if (template) set.spec.template = patchedTemplate(set.spec.template, template)
    return ref.kind === 'DaemonSet' ? (set as KubernetesObjects[K]) : null
  }

  override async remove(ref: ObjectRef<Kind>, uid: string): Promise<void> {
    await this.thisNode()
    this.onWrite('remove')
    const pod = this.#pods.find(({ metadata }) => metadata.name === ref.name && metadata.uid === uid)
    if (pod) {
      this.#pods = this.#pods.filter((other) => other !== pod)
      void this.#tell('gone', pod)
      this.#later()
    }
    this.onWrite('removed')
  }

  #write(mark: string | null, spec: DaemonSetObject['spec'] | undefined): void {
    const { metadata } = this.#set
    const before = JSON.stringify(this.#set.spec)
    const template = JSON.stringify(this.#set.spec.template)
    this.#former = this.set
    if (spec) {
      const { type, rollingUpdate } = spec.updateStrategy
      this.#set.spec.updateStrategy = { type, ...(rollingUpdate && { rollingUpdate }) }
      const patched = (spec as { template?: Partial<PodTemplate> }).template
      if (patched) this.#set.spec.template = patchedTemplate(this.#set.spec.template, patched)
    }
    this.#countTemplate(template)
    metadata.annotations = mark === null ? {} : { [TEMPLATE_ANNOTATION]: mark }
    if (JSON.stringify(this.#set.spec) !== before) metadata.generation += 1
    this.#touch()
    const images = imagesOf(this.#set.spec.template.spec).map(({ image }) => image)
    this.ops.push(`daemonset: ${this.#set.spec.updateStrategy.type} ${images.join(' ')}`)
  }

  #countTemplate(before: string): void {
    if (JSON.stringify(this.#set.spec.template) !== before) this.#templates += 1
  }

  #touch(): void {
    this.#versions += 1
    this.#set.metadata.resourceVersion = String(this.#versions)
    this.#hear()
  }

  #hear(): void {
    void this.#clock.sleep(this.hearsAfterMs).then(() => {
      this.sync()
    })
  }

  #later(): void {
    void this.#clock.sleep(CONTROLLER_MS).then(() => {
      this.#control()
    })
  }

  /** The kubelet's watch ends with the API server, and is tried again a while after. */
  async #tell(what: 'added' | 'gone', pod: PodObject): Promise<void> {
    await Promise.resolve()
    const wasAway = this.away !== null
    while (this.away !== null) await this.#clock.sleep(100)
    if (wasAway) await this.#clock.sleep(WATCH_MS)
    if (pod.spec.nodeName === this.#host) this.onPod[what](pod)
  }

  /** The controller keeps each template that pods were made from. */
  #revision(): string {
    const { template } = this.#known.spec
    const spec = { template: { ...template, $patch: 'replace' } }
    const hash = createHash('sha256').update(JSON.stringify(spec)).digest('hex').slice(0, 10)
    const metadata = { name: `${NAME}-${hash}`, namespace: NAMESPACE }
    this.objects.write(
      { apiVersion: 'apps/v1', kind: 'ControllerRevision', metadata, data: { spec } },
      'controller',
    )
    return hash
  }

  #make(host: string, own?: { image: string; annotations?: Record<string, string> }): void {
    this.#made += 1
    const { metadata, spec } = structuredClone(this.#known.spec.template)
    const { containers, initContainers } = spec
    const annotations = own ? own.annotations : metadata?.annotations
    const pod: PodObject = {
      metadata: {
        name: `${NAME}-${this.#made}`,
        labels: {
          'controller-revision-hash': this.#revision(),
          ...(!own && { [GENERATION_LABEL]: `${this.#known.metadata.annotations?.[GENERATION]}` }),
        },
        namespace: NAMESPACE,
        uid: `uid-${this.#made}`,
        resourceVersion: '1',
        creationTimestamp: this.#clock.date().toISOString(),
        ...(annotations && { annotations }),
        ownerReferences: [{ kind: 'DaemonSet', name: NAME, controller: true }],
      },
      spec: {
        nodeName: host,
        containers: own ? [{ name: NAME, image: own.image }] : containers.map(this.#admitted),
        ...(initContainers && {
          initContainers: own ? initContainers : initContainers.map(this.#admitted),
        }),
      },
    }
    this.#pods.push(pod)
    void this.#tell('added', pod)
    this.#later()
  }
}

const fromConfig = (name: string, key: string) => ({
  name,
  valueFrom: { configMapKeyRef: { name: CONFIG, key } },
})
