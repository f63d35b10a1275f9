import type { Json } from '../json/merge-patch.ts'
import { CONFIG_ANNOTATION, type Marks, marksOf } from './marks.ts'
import { annotationOf, type Namespaced, type ObjectMeta } from './object.ts'
import type { ContainerOfPod, PodObject, PodSpec } from './pod.ts'

/** What the agent reads of a ConfigMap (core/v1). */
export interface ConfigMapObject {
  metadata: ObjectMeta
  data?: Record<string, string>
}

/** Values by key; null for a key that is not there, or shall not be. */
export type ConfigKeys = Record<string, string | null>

/** What is asked of the ConfigMap that Calico's pods read. */
export interface WantedConfigMap {
  keys: ConfigKeys
  /** Of the keys and their values: a pod template has it as an annotation, and with it each pod that was started with them. */
  mark: string
}

/** The asked keys as they were before the rollout, as they are when the plan is made, and as they shall be. */
export interface ConfigMapChange extends Namespaced {
  before: ConfigKeys
  now: ConfigKeys
  after: ConfigKeys
  /** Null for a way back. */
  mark: string | null
}

export interface ObservedConfigMap extends ConfigMapChange {
  mark: string
  /** When somebody changed it last, by the clock of the API server; null where that does not say, as before 1.18. */
  changedAt: string | null
  /** Asked keys that it does not have, and that no container reads. */
  unknown: string[]
  /** Every key that it has, or that a container reads. */
  known: string[]
  /** The key of calico/node's networking backend; null where it is not read from here. */
  backendKey: string | null
}

/** What a run writes beside the keys: the next hosts of the rollout know by it what a way back restores. */
interface ConfigMark {
  mark: string
  before: ConfigKeys
}

/** What the pods of a template read of ConfigMaps when they start. */
export interface ConfigReads {
  /** Names of the ConfigMaps: read by single variables, as a whole, or as files. */
  maps: string[]
  /** The keys that variables of containers are set from. */
  keys: { variable: string; map: string; key: string }[]
}

export function configReadsOf({ containers, initContainers = [], volumes = [] }: PodSpec): ConfigReads {
  const all = [...initContainers, ...containers]
  const keys = all.flatMap(({ env = [] }) => env.flatMap(({ name, valueFrom }) => keyRead(name, valueFrom)))
  const whole = all.flatMap(({ envFrom = [] }) => envFrom.flatMap((one) => one.configMapRef?.name ?? []))
  const files = volumes.flatMap(({ configMap }) => configMap?.name ?? [])
  return { maps: [...new Set([...keys.map(({ map }) => map), ...whole, ...files])], keys }
}

type ValueFrom = NonNullable<ContainerOfPod['env']>[number]['valueFrom']

function keyRead(variable: string, valueFrom: ValueFrom): ConfigReads['keys'] {
  const ref = valueFrom?.configMapKeyRef
  return ref ? [{ variable, map: ref.name, key: ref.key }] : []
}

/** Calico's own, by the name in calico.yaml where there are several; null where it cannot be told. */
export function calicoMap({ maps }: ConfigReads): string | null {
  const [only, ...others] = maps
  if (only !== undefined && others.length === 0) return only
  return maps.includes('calico-config') ? 'calico-config' : null
}

export function observedConfigMap(
  map: ConfigMapObject,
  { keys, mark }: WantedConfigMap,
  reads: ConfigReads,
): ObservedConfigMap {
  const { namespace, name } = map.metadata
  const now = valuesOf(map, keys)
  const refs = reads.keys.filter(({ map: of }) => of === name)
  const known = [...new Set([...Object.keys(map.data ?? {}), ...refs.map(({ key }) => key)])]
  return {
    namespace,
    name,
    mark,
    now,
    before: beforeRollout(map, mark, now),
    after: keys,
    changedAt: changedAt(map),
    unknown: Object.keys(keys).filter((key) => !known.includes(key)),
    known,
    backendKey: refs.find(({ variable }) => variable === 'CALICO_NETWORKING_BACKEND')?.key ?? null,
  }
}

/** The values that it has now of the given keys. */
export function valuesOf({ data = {} }: ConfigMapObject, keys: ConfigKeys): ConfigKeys {
  return Object.fromEntries(Object.keys(keys).map((key) => [key, data[key] ?? null]))
}

/** When a pod was made, and from what; absent where it does not say. */
export interface PodStart extends Marks {
  createdAt?: string
}

export function podStart({ metadata }: Pick<PodObject, 'metadata'>): PodStart {
  const { creationTimestamp: createdAt } = metadata
  return { ...(createdAt !== undefined && { createdAt }), ...marksOf({ metadata }) }
}

/** Whether a pod must be started anew: it may be older than the change, or the rollout that the template began is not here yet. */
export function isStale(
  map: ObservedConfigMap,
  { createdAt = '', config }: PodStart,
  templateMark: string | undefined,
): boolean {
  if (!isSameKeys(map.after, map.now)) return true
  if (config === map.mark) return false
  return templateMark === map.mark || map.changedAt === null || createdAt <= map.changedAt
}

export function isSameKeys(one: ConfigKeys, other: ConfigKeys): boolean {
  return Object.entries(one).every(([key, value]) => other[key] === value)
}

/** An earlier host of the same rollout has written the keys. */
function beforeRollout(map: ConfigMapObject, mark: string, now: ConfigKeys): ConfigKeys {
  const written = annotationOf(map.metadata, CONFIG_ANNOTATION) as ConfigMark | null
  return written?.mark === mark ? written.before : now
}

function changedAt({
  metadata: { creationTimestamp = '', managedFields = [] },
}: ConfigMapObject): string | null {
  if (managedFields.length === 0) return null
  return [creationTimestamp, ...managedFields.map(({ time = '' }) => time)].reduce((one, other) =>
    other > one ? other : one,
  )
}

/** The merge patch that gives it these keys, and says what they were unless it is a way back; refused where it has changed since. */
export function keysPatch(
  { metadata: { resourceVersion } }: ConfigMapObject,
  { before, after, mark }: Pick<ConfigMapChange, 'before' | 'after' | 'mark'>,
): Json {
  const written: ConfigMark | null = mark === null ? null : { mark, before }
  const annotations = { [CONFIG_ANNOTATION]: written && JSON.stringify(written) }
  return { metadata: { resourceVersion, annotations }, data: after }
}
