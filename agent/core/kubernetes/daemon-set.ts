import type { Problem } from '../errors.ts'
import type { Json } from '../json/merge-patch.ts'
import { type ConfigReads, configReadsOf, type PodStart, podStart } from './config-map.ts'
import { type Marks, marksOf } from './marks.ts'
import {
  annotationOf,
  controllerOf,
  type Namespaced,
  type ObjectMeta,
  type OwnerReference,
} from './object.ts'
import { nodeOf, type PodObject, type PodSpec, type PodTemplate, REVISION_LABEL } from './pod.ts'
import { changePatch, imagesOf, type TemplateChange, type TemplateImage } from './template.ts'
import { templateDifferences } from './template-differences.ts'

/** What the agent reads of a DaemonSet (apps/v1). */
export interface DaemonSetObject {
  metadata: ObjectMeta & { generation: number; ownerReferences?: OwnerReference[] }
  spec: {
    selector?: { matchLabels?: Record<string, string> }
    updateStrategy: UpdateStrategy
    template: PodTemplate
  }
  status?: { observedGeneration?: number; desiredNumberScheduled?: number; updatedNumberScheduled?: number }
}

export interface UpdateStrategy {
  type: string
  rollingUpdate?: { [key: string]: Json }
}

/** The DaemonSet that keeps the container, and its pod on this host. */
export interface ObservedDaemonSet extends Namespaced, Marks {
  pod: PodStart & {
    name: string
    uid: string
    node: string
    images: TemplateImage[]
    /** Of the template that it was made from, where an admission webhook has replaced some; absent where it has them all. */
    created?: TemplateImage[]
    /** Of its ControllerRevision: pods of the same template have the same one. */
    revision?: string
  }
  template: TemplateImage[]
  /** What its pods read when they start; absent in a journal of before. */
  reads?: ConfigReads
  strategy: UpdateStrategy
  /** Pods are being replaced by the DaemonSet itself, whatever BGP says. */
  isRolling: boolean
  /** Names of the containers of the template whose image the kubelet pulls at each start; absent where there is none. */
  pullsAlways?: string[]
  /** Type of the strategy that comes back with the end of the rollout; absent where none is owed. */
  owed?: string
  /** What else than images a pod of the template has otherwise than this host's; absent where nothing is. */
  differences?: string[]
  /** The object that would undo a change of the DaemonSet, such as an operator's; absent where there is none. */
  keeper?: string
}

/** What an agent writes beside a template that it changes. */
export interface TemplateMark {
  run: string
  /** `metadata.generation` that the change makes: another one is somebody else's change. */
  generation: number
  /** What was there before the rollout, and comes back with its end. */
  strategy: UpdateStrategy
}

export const TEMPLATE_ANNOTATION = 'calico-agent/template'

/** The DaemonSet by whose controller reference the pod exists; null where another kind keeps it. */
export function daemonSetOf({ metadata }: PodObject): Namespaced | null {
  const owner = controllerOf(metadata)
  return owner?.kind === 'DaemonSet' ? { namespace: metadata.namespace, name: owner.name } : null
}

/** `madeFrom` is the template that the pod was made from, where it is known to be another one or to have been changed. */
export function observedDaemonSet(
  set: DaemonSetObject,
  pod: PodObject,
  madeFrom: PodTemplate | null = null,
): ObservedDaemonSet {
  const { namespace, name } = set.metadata
  const { updateStrategy: strategy, template } = set.spec
  const owed = owedStrategy(set)
  const keeper = controllerOf(set.metadata)
  const pullsAlways = pullingAlways(template.spec)
  const differences = templateDifferences(template.spec, (madeFrom ?? pod).spec)
  const created = madeFrom ? imagesOf(madeFrom.spec) : []
  const isReplaced = created.some((one) => replacedIn(imagesOf(pod.spec), one) !== null)
  const revision = pod.metadata.labels?.[REVISION_LABEL]
  return {
    namespace,
    name,
    pod: {
      name: pod.metadata.name,
      uid: pod.metadata.uid,
      node: nodeOf(pod) ?? '',
      images: imagesOf(pod.spec),
      ...(isReplaced && { created }),
      ...(revision !== undefined && { revision }),
      ...podStart(pod),
    },
    template: imagesOf(template.spec),
    ...marksOf(template),
    reads: configReadsOf(template.spec),
    strategy,
    isRolling: isRolling(set),
    ...(pullsAlways.length > 0 && { pullsAlways }),
    ...(owed && { owed: owed.type }),
    ...(differences.length > 0 && { differences }),
    ...(keeper && { keeper: `${keeper.kind} ${keeper.name}` }),
  }
}

/** Images, environment and mounts of the pod are those of the template. */
export function isAsTemplate({ spec: { template } }: DaemonSetObject, pod: PodObject): boolean {
  const isSame = imagesOf(template.spec).every((one) => replacedIn(imagesOf(pod.spec), one) === null)
  return isSame && templateDifferences(template.spec, pod.spec).length === 0
}

/** The images that a pod was created with, before any admission webhook. */
export function createdWith({ images, created }: ObservedDaemonSet['pod']): TemplateImage[] {
  return created ?? images
}

/** Images that this host's pod has instead of those of the template that it was made from, as an admission webhook does. */
export function replacedImages({ pod }: ObservedDaemonSet): { from: string; to: string }[] {
  return createdWith(pod).flatMap((one) => {
    const to = replacedIn(pod.images, one)
    return to === null ? [] : [{ from: one.image, to }]
  })
}

/** Null where it is the same. */
function replacedIn(images: TemplateImage[], { list, name, image }: TemplateImage): string | null {
  const own = images.find((one) => one.list === list && one.name === name)
  return own === undefined || own.image === image ? null : own.image
}

/** Pods are being replaced by the DaemonSet itself. */
export function isRolling(set: DaemonSetObject): boolean {
  return set.spec.updateStrategy.type === 'RollingUpdate' && !isRolledOut(set)
}

export function rollingObjection({ namespace, name }: Namespaced): Pick<Problem, 'message' | 'fix'> {
  return {
    message: `cannot upgrade a pod of ${namespace}/${name}: the DaemonSet is replacing its pods itself`,
    fix: `wait until it has finished: kubectl -n ${namespace} rollout status daemonset/${name}`,
  }
}

function pullingAlways({ containers, initContainers = [] }: PodSpec): string[] {
  const all = [...initContainers, ...containers]
  return all.filter(({ imagePullPolicy }) => imagePullPolicy === 'Always').map(({ name }) => name)
}

/** Its controller knows of its last change. */
export function isObserved({ metadata, status = {} }: DaemonSetObject): boolean {
  return (status.observedGeneration ?? 0) >= metadata.generation
}

/** Every pod is of the template as it is now. */
export function isRolledOut(set: DaemonSetObject): boolean {
  const { desiredNumberScheduled = 0, updatedNumberScheduled = 0 } = set.status ?? {}
  return isObserved(set) && updatedNumberScheduled >= desiredNumberScheduled
}

/** The same by the pods themselves: all are of one revision, and one of them of the template as it is. */
export function isRolledOutBy(set: DaemonSetObject, listed: PodObject[]): boolean {
  const pods = listed.filter((pod) => daemonSetOf(pod)?.name === set.metadata.name)
  const revisions = new Set(pods.map(({ metadata }) => metadata.labels?.[REVISION_LABEL]))
  const { desiredNumberScheduled = 0 } = set.status ?? {}
  return (
    pods.length >= desiredNumberScheduled && revisions.size === 1 && pods.some((pod) => isCurrent(set, pod))
  )
}

/** By the generation of the template, which the API server and the controller record; false where one of them does not. */
function isCurrent({ metadata }: DaemonSetObject, pod: PodObject): boolean {
  const generation = metadata.annotations?.['deprecated.daemonset.template.generation']
  return generation !== undefined && pod.metadata.labels?.['pod-template-generation'] === generation
}

/** What an agent wrote beside the template; null where none did. */
function markOf({ metadata }: Pick<DaemonSetObject, 'metadata'>): TemplateMark | null {
  return annotationOf(metadata, TEMPLATE_ANNOTATION) as TemplateMark | null
}

/** An agent changed the template, and no agent has ended that rollout since. */
export function isMarked(set: Pick<DaemonSetObject, 'metadata'>): boolean {
  return markOf(set) !== null
}

/** An agent wrote the template, and nobody has changed it since: its mark; else null. */
export function templateMark(set: Pick<DaemonSetObject, 'metadata'>): TemplateMark | null {
  const mark = markOf(set)
  return mark?.generation === set.metadata.generation ? mark : null
}

/** The strategy from before the rollout: somebody who sets another one than OnDelete meanwhile has decided. */
function strategyBefore(set: DaemonSetObject): UpdateStrategy {
  const { updateStrategy } = set.spec
  return (updateStrategy.type === 'OnDelete' && markOf(set)?.strategy) || updateStrategy
}

/**
 * The strategic merge patch that applies the change to the template, sets OnDelete so that the DaemonSet replaces no pod on its
 * own, and adds the run's mark, which a rollback needs. Null if there is nothing to change. The API server refuses it if the
 * DaemonSet has changed since it was read.
 */
export function templatePatch(set: DaemonSetObject, change: TemplateChange, run: string): Json | null {
  const template = changePatch(set.spec.template, change)
  const isChange = template !== undefined || set.spec.updateStrategy.type !== 'OnDelete'
  if (!isChange && templateMark(set) !== null) return null
  const mark: TemplateMark = {
    run,
    // only a change of the spec makes another generation
    generation: set.metadata.generation + (isChange ? 1 : 0),
    strategy: strategyBefore(set),
  }
  const spec = {
    updateStrategy: { type: 'OnDelete', rollingUpdate: null },
    ...(template !== undefined && { template }),
  }
  return { metadata: patchedMeta(set, JSON.stringify(mark)), ...(isChange && { spec }) }
}

/** Gives back the strategy that was there before the rollout; null where no agent has changed it, or not all is done. */
export function strategyPatch(set: DaemonSetObject): Json | null {
  if (!isMarked(set) || !isRolledOut(set)) return null
  const { type, rollingUpdate = null } = strategyBefore(set)
  return { metadata: patchedMeta(set, null), spec: { updateStrategy: { type, rollingUpdate } } }
}

/** The strategy that comes back with the last host; null where the DaemonSet has it already. */
export function owedStrategy(set: DaemonSetObject): UpdateStrategy | null {
  const before = strategyBefore(set)
  return before.type === set.spec.updateStrategy.type ? null : before
}

/** With the mark of who writes the template, or without it; refused where the object has changed since. */
export function patchedMeta({ metadata }: Pick<DaemonSetObject, 'metadata'>, mark: string | null): Json {
  return { resourceVersion: metadata.resourceVersion, annotations: { [TEMPLATE_ANNOTATION]: mark } }
}
