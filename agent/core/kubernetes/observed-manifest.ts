import type { Problem } from '../errors.ts'
import type { MarkedTemplate } from './deployment.ts'
import type { FieldConflict } from './field-owners.ts'
import type { AnyRef, ObjectChange } from './manifest.ts'
import type { PodTemplate } from './pod.ts'

/** What a manifest asks of the cluster, beside images and the ConfigMap, and the cluster does not have yet. */
export interface ObservedManifest {
  path: string
  mark: string
  /** Null where the DaemonSet's template is as the manifest has it. */
  daemonSet: WholeTemplates | null
  /** Null where the Deployment's template is as the manifest has it, or the manifest has none. */
  deployment: Record<'from' | 'to', MarkedTemplate> | null
  objects: ObjectChange[]
  /** Fields that would be taken from somebody who is neither the agent nor kubectl apply. */
  conflicts: (FieldConflict & { of: AnyRef })[]
}

/** Of this host's pod, of the DaemonSet, and as the manifest asks; `mark` is that of the manifest's. */
export interface WholeTemplates extends Record<'from' | 'was' | 'to', PodTemplate> {
  mark: string
}

export type FoundManifest = ObservedManifest | { problem: Problem }
