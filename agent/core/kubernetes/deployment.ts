import type { Json } from '../json/merge-patch.ts'
import { configReadsOf, type PodStart, podStart } from './config-map.ts'
import {
  type DaemonSetObject,
  patchedMeta,
  type TemplateMark,
  templateMark,
  type UpdateStrategy,
} from './daemon-set.ts'
import { type Marks, marksOf } from './marks.ts'
import { controllerOf, type Namespaced } from './object.ts'
import { type PodObject, type PodTemplate, statusNamed } from './pod.ts'
import {
  changePatch,
  configEntry,
  hasEntries,
  imageEntry,
  manifestEntry,
  type TemplateChange,
  type TemplateEntry,
} from './template.ts'

/** What the agent reads of a Deployment (apps/v1). */
export interface DeploymentObject {
  metadata: DaemonSetObject['metadata']
  spec: {
    replicas?: number
    paused?: boolean
    strategy: UpdateStrategy
    selector: { matchLabels?: Record<string, string> }
    template: PodTemplate
  }
  status?: {
    observedGeneration?: number
    replicas?: number
    updatedReplicas?: number
    availableReplicas?: number
  }
}

/** A Deployment and the pods that it has now, those that end among them. */
export interface Rollout {
  set: DeploymentObject
  pods: PodObject[]
}

/** The Deployment of kube-controllers, whichever host its pod runs on. */
export interface ObservedDeployment extends Namespaced, Marks {
  container: string
  /** Of the container in the template; null where it has no such container. */
  image: string | null
  /** Type of its strategy. */
  strategy: string
  replicas: number
  isPaused: boolean
  /** Every pod is of the template as it is, and available; no other pod is left. */
  isAvailable: boolean
  /** What keeps it from that, in the scheduler's or the kubelet's words; null where they say nothing. */
  trouble: string | null
  /** Its pods: the Node of each, and the digest that runs; null where none is known yet. */
  pods: (PodStart & { name: string; node: string | null; digest: string | null })[]
  /** Names of the ConfigMaps that its pods read when they start; absent in a journal of before. */
  reads?: string[]
  /** The object that would put back what is changed here, such as an operator's; null where there is none. */
  keeper: string | null
  /** Whoever pulls needs a Secret that the kubelet has, and Docker may not. */
  hasPullSecrets: boolean
  /** It keeps Calico's data in the Kubernetes API. */
  usesKubernetes: boolean
  /** The run that wrote the template, where nobody has changed it since. */
  run: string | null
}

const HASH_LABEL = 'pod-template-hash'

/** The Deployment whose ReplicaSet keeps the pod: its name is the Deployment's with the hash of the template. */
export function deploymentOf({ metadata }: PodObject): Namespaced | null {
  const { labels = {}, namespace } = metadata
  const owner = controllerOf(metadata)
  const hash = labels[HASH_LABEL] ?? ''
  if (owner?.kind !== 'ReplicaSet' || hash === '') return null
  const suffix = [`-${hash}`, `-${safeEncoded(hash)}`].find((one) => owner.name.endsWith(one))
  return suffix === undefined ? null : { namespace, name: owner.name.slice(0, -suffix.length) }
}

/** Up to Kubernetes 1.11 the label has the hash as a number, and only the name has it encoded (k8s.io/apimachinery, util/rand). */
function safeEncoded(hash: string): string {
  return hash.replace(/./g, (char) => SAFE_CHARS.charAt(char.charCodeAt(0) % SAFE_CHARS.length))
}

const SAFE_CHARS = 'bcdfghjklmnpqrstvwxz2456789'

/** Pods that were evicted, or have ended otherwise, stay as objects for long. */
export function podsOf(
  { metadata: { name, namespace } }: DeploymentObject,
  listed: PodObject[],
): PodObject[] {
  return listed.filter((pod) => {
    const owner = deploymentOf(pod)
    const hasEnded = ['Succeeded', 'Failed'].includes(pod.status?.phase ?? '')
    return owner?.name === name && owner.namespace === namespace && !hasEnded
  })
}

export function observedDeployment({ set, pods }: Rollout, container: string): ObservedDeployment {
  const { metadata, spec } = set
  const named = containerIn(set, container)
  const owner = controllerOf(metadata)
  const datastore = named?.env?.find(({ name }) => name === 'DATASTORE_TYPE')?.value
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    container,
    image: named?.image ?? null,
    strategy: spec.strategy.type,
    replicas: replicasOf(set),
    isPaused: spec.paused === true,
    isAvailable: isAvailable({ set, pods }),
    trouble: troubleOf(pods),
    pods: pods.map((pod) => ({
      name: pod.metadata.name,
      node: pod.spec.nodeName ?? null,
      digest: statusNamed(pod, container)?.imageID?.split('@')[1] ?? null,
      ...podStart(pod),
    })),
    ...marksOf(spec.template),
    reads: configReadsOf(spec.template.spec).maps,
    keeper: owner ? `${owner.kind} ${owner.name}` : null,
    hasPullSecrets: (spec.template.spec.imagePullSecrets ?? []).length > 0,
    usesKubernetes: datastore === 'kubernetes',
    run: templateMark(set)?.run ?? null,
  }
}

/** One replica is the API server's default. */
function replicasOf({ spec: { replicas = 1 } }: DeploymentObject): number {
  return replicas
}

function containerIn({ spec }: DeploymentObject, container: string) {
  return spec.template.spec.containers.find(({ name }) => name === container)
}

/**
 * All is as the template says, by the counts of its controller; a pod that ends still counts. Images are not compared: an
 * admission webhook may have replaced those of the pods. The pods were listed after the Deployment was read.
 */
export function isAvailable({ set, pods }: Rollout): boolean {
  const {
    observedGeneration = 0,
    replicas = 0,
    updatedReplicas = 0,
    availableReplicas = 0,
  } = set.status ?? {}
  const wanted = replicasOf(set)
  const isSeen = observedGeneration >= set.metadata.generation
  return (
    isSeen &&
    [replicas, updatedReplicas, availableReplicas, pods.length].every((count) => count === wanted) &&
    pods.every(({ metadata }) => metadata.deletionTimestamp === undefined)
  )
}

/** Names of the pods whose container runs. */
export function runningPods(pods: PodObject[], container: string): string[] {
  return pods
    .filter((pod) => statusNamed(pod, container)?.state?.running !== undefined)
    .map(({ metadata }) => metadata.name)
}

/** Changes with each pod that is made, and with each restart of a container. */
export function instanceOf(pods: PodObject[], container: string): string {
  return pods.map((pod) => `${pod.metadata.uid}/${statusNamed(pod, container)?.restartCount ?? 0}`).join()
}

/** What the kubelet does at each start. */
const USUAL = ['ContainerCreating', 'PodInitializing']

/** Why a pod does not come up, in the scheduler's or the kubelet's words; null where nothing is said against it. */
export function troubleOf(pods: PodObject[]): string | null {
  return pods.map(troubleOfPod).find((trouble) => trouble !== null) ?? null
}

function troubleOfPod({ metadata, status = {} }: PodObject): string | null {
  const { phase = 'Pending', conditions = [], initContainerStatuses = [], containerStatuses = [] } = status
  const unscheduled = conditions.find((one) => one.type === 'PodScheduled' && one.status === 'False')
  if (unscheduled) return `pod ${metadata.name} is ${phase}: ${words(unscheduled)}`
  const all = [...initContainerStatuses, ...containerStatuses]
  const waiting = all.find(({ state }) => state?.waiting && !USUAL.includes(state.waiting.reason ?? ''))
  if (!waiting) return null
  const { exitCode } = waiting.lastState?.terminated ?? {}
  const ended = exitCode === undefined ? '' : `; its last exit code is ${exitCode}`
  return `pod ${metadata.name}: ${words(waiting.state?.waiting ?? {})}${ended}`
}

function words({ reason = '', message = '' }: { reason?: string; message?: string }): string {
  return [reason, message].filter((text) => text !== '').join(': ')
}

export interface DeploymentChange {
  container: string
  image: string
  /** The mark of the config; undefined where it is left alone. */
  config?: string | null | undefined
  /** The whole template, and its mark; undefined where no manifest asks for it. */
  manifest?: MarkedTemplate | undefined
  run: string
}

/** A template of a manifest; without a mark it is one from before. */
export interface MarkedTemplate {
  mark: string | null
  template: PodTemplate
}

/** The template is as the change has it. */
export function isChanged({ spec }: DeploymentObject, change: Omit<DeploymentChange, 'run'>): boolean {
  return hasEntries(spec.template, entriesOf(change))
}

function entriesOf({ container, image, config, manifest }: Omit<DeploymentChange, 'run'>): TemplateEntry[] {
  return [
    imageEntry({ list: 'containers', name: container, image }),
    ...(config === undefined ? [] : [configEntry(config)]),
    ...(manifest ? [manifestEntry(manifest.mark)] : []),
  ]
}

function templateChange(change: DeploymentChange): TemplateChange {
  return { entries: entriesOf(change), whole: change.manifest?.template }
}

/**
 * The strategic merge patch that gives the template the image and the mark of the config, and has the old pod end before the new one starts; null
 * where it is so already. Refused where the Deployment has changed since.
 */
export function deploymentPatch(set: DeploymentObject, change: DeploymentChange): Json | null {
  const { run } = change
  const { strategy } = set.spec
  const template = changePatch(set.spec.template, templateChange(change))
  if (template === undefined && strategy.type === RECREATE) return null
  const own = ownMark(set, run)
  const mark: TemplateMark = {
    run,
    generation: set.metadata.generation + 1,
    strategy: own?.strategy ?? strategy,
  }
  return {
    metadata: patchedMeta(set, JSON.stringify(mark)),
    spec: {
      strategy: { type: RECREATE, rollingUpdate: null },
      ...(template !== undefined && { template }),
    },
  }
}

/** Gives back the strategy that was there before the run; null where somebody else has changed the Deployment since. */
export function strategyBackPatch(set: DeploymentObject, run: string): Json | null {
  const mark = ownMark(set, run)
  if (mark === null) return null
  const { type, rollingUpdate = null } = mark.strategy
  return { metadata: patchedMeta(set, null), spec: { strategy: { type, rollingUpdate } } }
}

/** The run's mark, where the Deployment is still what the run wrote. */
export function ownMark(set: DeploymentObject, run: string): TemplateMark | null {
  const mark = templateMark(set)
  return mark?.run === run ? mark : null
}

/** One is seen gone before the next is made. */
export const RECREATE = 'Recreate'
