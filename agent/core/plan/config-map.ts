import { known } from '../known.ts'
import {
  type ConfigKeys,
  type ConfigMapChange,
  isStale,
  type ObservedConfigMap,
} from '../kubernetes/config-map.ts'
import type { ObservedDeployment } from '../kubernetes/deployment.ts'
import type { Namespaced } from '../kubernetes/object.ts'
import type { Observed } from '../model.ts'
import { redactValue } from '../redact/redact.ts'
import type { DiffEntry } from '../report/report.ts'
import type { Change, StepArgs } from './plan.ts'

/** The config under the name by which runs and their targets are compared. */
export const configName = (mark: string): string => `hosted.configMap ${mark}`

/** From the ConfigMap as it is to what is asked of it. */
export function configChange(map: ObservedConfigMap): Change {
  return { from: nameOf(map), to: configName(map.mark) }
}

/** The controllers read the ConfigMap, and were started before the change. */
export function isDeploymentStale(map: ObservedConfigMap, deployment: ObservedDeployment): boolean {
  const { namespace, reads = [], pods, config } = deployment
  if (namespace !== map.namespace || !reads.includes(map.name)) return false
  return pods.some((pod) => isStale(map, pod, config))
}

/** The ConfigMap that this host's pod must be started with; null where it was, or where none is asked for. */
export function staleConfig({
  node,
  configMap,
}: Pick<Observed, 'node' | 'configMap'>): ObservedConfigMap | null {
  const [map, set] = [known(configMap), known(node?.daemonSet)]
  return map && set && isStale(map, set.pod, set.config) ? map : null
}

export function writtenKeys({ namespace, name, before, now, after, mark }: ConfigMapChange): ConfigMapChange {
  return { namespace, name, before, now, after, mark }
}

/** Restores what an earlier run wrote; undefined where it wrote nothing. */
export function keysBack({
  configMap,
}: Pick<StepArgs['swap-pod'], 'configMap'>): ConfigMapChange | undefined {
  return configMap && { ...configMap, before: configMap.after, after: configMap.before, mark: null }
}

/** No entry where the keys stay as they are. */
export function configMapDiff(change: ConfigMapChange | null | undefined): DiffEntry[] {
  if (!change) return []
  const { now, after } = change
  const changed = Object.keys(after).filter((key) => after[key] !== now[key])
  const shown = (keys: ConfigKeys): string => changed.map((key) => line(key, keys[key] ?? null)).join('')
  if (changed.length === 0) return []
  const entry = { target: `configmap ${nameOf(change)}`, before: shown(now), after: shown(after) }
  // a secret that changes looks the same
  return [entry.before === entry.after ? { ...entry, after: `${entry.after}(changed)\n` } : entry]
}

function line(key: string, value: string | null): string {
  return value === null ? '' : `data.${key}: ${redactValue(key, value)}\n`
}

function nameOf({ namespace, name }: Namespaced): string {
  return `${namespace}/${name}`
}
